import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

const watchPath = join(import.meta.dirname, "parent-watch.ts");

it("ends a process whose event loop is blocked when its parent dies", async () => {
  // The parent starts a child that watches it and then spins for ever; its IPC channel could never be noticed closing.
  const child = `import { endWithParent } from ${JSON.stringify(watchPath)};
    endWithParent(process.ppid);
    setTimeout(() => { process.stdout.write(process.pid + "\\n"); for (;;); }, 300);`;
  const parentProgram = `import { spawn } from "node:child_process";
    spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(child)}], { stdio: ["ignore", "inherit", "inherit"] });
    setInterval(() => undefined, 60_000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", parentProgram], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let pid = 0;
  const isAlive = () => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  try {
    const [line] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
    pid = Number(line);
    // Longer than the watch's interval: a living parent is left in peace.
    await sleep(1500);
    expect(isAlive()).toBe(true);
    parent.kill("SIGKILL");
    for (let tries = 0; tries < 100 && isAlive(); tries++) await sleep(100);
    expect(isAlive()).toBe(false);
  } finally {
    parent.kill("SIGKILL");
    if (pid > 0 && isAlive()) process.kill(pid, "SIGKILL");
  }
});
