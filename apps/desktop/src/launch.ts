import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * `npm start`: opens the desktop window when Electron can run here; otherwise says why not in one line and serves the same
 * UI on loopback, opening the browser where there is one.
 */
const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** What of the machine decides whether Electron can run. */
export interface LaunchConditions {
  platform: NodeJS.Platform;
  environment: NodeJS.ProcessEnv;
  /** Numeric user id; undefined on Windows. */
  userId: number | undefined;
  /** The Electron binary, or null when it is not installed. */
  electronBinary: string | null;
}

/** Why Electron cannot run here, as the end of a sentence; null when it can. */
export function whyNoWindow(conditions: LaunchConditions): string | null {
  const { platform, environment, userId, electronBinary } = conditions;
  if (electronBinary === null) return "Electron's binary is not installed (npx install-electron fetches it)";
  if (platform !== "linux") return null;
  if (!environment["DISPLAY"] && !environment["WAYLAND_DISPLAY"]) return "this machine has no display";
  if (userId === 0) return "Electron's sandbox does not run as root";
  return null;
}

/** Finds the installed Electron binary without asking the electron package, which would try to download a missing one. */
export function findElectronBinary(directory: string, environment: NodeJS.ProcessEnv): string | null {
  const pathFile = join(directory, "path.txt");
  if (!existsSync(pathFile)) return null;
  const distribution = environment["ELECTRON_OVERRIDE_DIST_PATH"] ?? join(directory, "dist");
  const binary = join(distribution, readFileSync(pathFile, "utf8").trim());
  return existsSync(binary) ? binary : null;
}

/** Runs a program to its end with our terminal; resolves to its exit code. */
function run(command: string, args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: repository, stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

function serve(options: string[]): Promise<number> {
  const program = join(repository, "apps/engine-host/bin/corral.mjs");
  return run(process.execPath, [program, "serve", "--open", ...options]);
}

async function launch(options: string[]): Promise<number> {
  const electronBinary = findElectronBinary(join(repository, "node_modules/electron"), process.env);
  const reason = whyNoWindow({
    platform: process.platform,
    environment: process.env,
    userId: process.getuid?.(),
    electronBinary,
  });
  if (reason !== null || electronBinary === null) {
    process.stdout.write(`No desktop window: ${reason}. Serving the same app in the browser instead.\n`);
    return serve(options);
  }
  await run(process.execPath, [join(repository, "tools/bundle.ts"), "desktop"]);
  const startedAt = Date.now();
  const code = await run(electronBinary, [join(repository, "apps/desktop")]);
  // A binary that cannot start on this system (missing libraries, no usable sandbox) fails at once.
  if (code === 0 || Date.now() - startedAt > 5_000) return code;
  process.stdout.write("No desktop window: Electron could not start. Serving the same app in the browser instead.\n");
  return serve(options);
}

if (import.meta.main) process.exitCode = await launch(process.argv.slice(2));
