#!/usr/bin/env node
// Starts Corral's command line. Corral needs Node 24, which runs its TypeScript directly; from an older Node this hands
// over to the Node 24 that `npm ci` put into node_modules.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const [major = 0] = process.versions.node.split(".").map(Number);
if (major >= 24) {
  await import("../src/cli/corral.ts");
} else {
  const binary = process.platform === "win32" ? "node.exe" : "node";
  const node = fileURLToPath(new URL(`../../../node_modules/node/bin/${binary}`, import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(
      `corral: Corral needs Node 24 and this is ${process.version}. Run "npm ci" in the Corral folder.\n`,
    );
    process.exit(1);
  }
  // The channel only tells the child when this process is gone, however it ended.
  const program = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, CORRAL_HANDED_OVER: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => program.kill(signal));
  if (process.send) {
    process.on("message", (message) => program.send(message));
    program.on("message", (message) => process.send?.(message));
  }
  program.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? "SIGTERM"] ?? 0)));
}
