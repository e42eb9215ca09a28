/**
 * Builds packages/ui to packages/ui/dist when there is no build or a source is newer than it. With `--force`: always.
 * Prints nothing on stdout, so that a command may come after it in a pipe.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const ui = join(root, "packages/ui");
/** Written after each whole build; Vite empties the folder first, so a broken build leaves none. */
const stamp = join(ui, "dist/.built");

function newestSource(): number {
  const sources = globSync(["packages/ui/**/*", "packages/protocol/src/**/*", "package-lock.json"], {
    cwd: root,
    exclude: ["**/node_modules", "packages/ui/dist", "**/*.test.*"],
  });
  return Math.max(...sources.map((file) => statSync(join(root, file)).mtimeMs));
}

const isCurrent = existsSync(stamp) && statSync(stamp).mtimeMs >= newestSource();
if (process.argv.includes("--force") || !isCurrent) {
  process.stderr.write("Building the user interface …\n");
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn"], {
    cwd: ui,
    encoding: "utf8",
  });
  process.stderr.write(stdout + stderr);
  if (status !== 0) {
    process.stderr.write("The user interface could not be built; the reason stands above.\n");
    process.exit(1);
  }
  writeFileSync(stamp, "");
}
