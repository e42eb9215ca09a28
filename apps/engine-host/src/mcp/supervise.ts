/**
 * Runs an MCP server as a child that never outlives the host: `supervise.ts COMMAND ARG…`. The server gets this process's
 * standard input and output as they are. It leads a process group of its own, so that what it starts ends with it. This
 * program imports nothing of the host's.
 */
import { spawn } from "node:child_process";

/** How often the host is looked for, ms. Promise T-73: no child is left 3 s after its parent died. */
const intervalMs = 500;
/** Time a server has to end on its own after it was asked to, ms. */
const graceMs = 1500;

const parent = process.ppid;
const [command = "", ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: "inherit", detached: true });

const end = (signal: NodeJS.Signals) => {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // The group is empty already.
  }
};
const stop = () => {
  end("SIGTERM");
  setTimeout(() => {
    end("SIGKILL");
    process.exit(0);
  }, graceMs);
};
setInterval(() => {
  if (process.ppid !== parent) stop();
}, intervalMs).unref();
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.once("SIGHUP", stop);
child.once("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.once("exit", (code) => {
  // Whatever it started and left behind goes with it.
  end("SIGKILL");
  process.exit(code ?? 1);
});
