import { rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

/**
 * Bundles for what cannot run from TypeScript sources: the Electron shell (a sandboxed preload must be one CommonJS file)
 * and the packed engine-host.
 *
 *     node tools/bundle.ts desktop            apps/desktop/dist/{main.js,preload.cjs}
 *     node tools/bundle.ts host DIRECTORY     DIRECTORY/{corral.js,inference-worker.js,ingestion-worker.js,store-thread.js,
 *                                            mcp-supervise.js}
 */
const repository = fileURLToPath(new URL("..", import.meta.url));

/** Packages with native files of their own: they are shipped as packages, never bundled. */
export const nativePackages = ["node-llama-cpp", "@llamaindex/liteparse"] as const;

/** Bundles the desktop shell into `directory`. */
export async function bundleDesktop(directory = join(repository, "apps/desktop/dist")): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  const external = (id: string) => id === "electron" || isBuiltin(id);
  await build({
    input: { main: join(repository, "apps/desktop/src/main/main.ts") },
    external,
    platform: "node",
    output: { dir: directory, format: "esm", entryFileNames: "[name].js" },
    logLevel: "warn",
  });
  await build({
    input: { preload: join(repository, "apps/desktop/src/preload/preload.ts") },
    external,
    platform: "node",
    output: { dir: directory, format: "cjs", entryFileNames: "[name].cjs" },
    logLevel: "warn",
  });
}

/** Bundles engine-host with its workers and its store thread, each an entry beside the others, into `directory`. */
export async function bundleHost(directory: string): Promise<void> {
  const source = join(repository, "apps/engine-host/src");
  await build({
    input: {
      corral: join(source, "cli/corral.ts"),
      "inference-worker": join(source, "inference-worker/worker.ts"),
      "bare-loop": join(source, "inference-worker/bare-loop.ts"),
      "ingestion-worker": join(source, "ingestion-worker/worker.ts"),
      "store-thread": join(source, "store/store-thread.ts"),
      "mcp-supervise": join(source, "mcp/supervise.ts"),
    },
    external: (id) => isBuiltin(id) || nativePackages.some((name) => id === name || id.startsWith(`${name}/`)),
    platform: "node",
    output: { dir: directory, format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
    logLevel: "warn",
  });
}

if (import.meta.main) {
  const [what, directory] = process.argv.slice(2);
  if (what === "desktop") await bundleDesktop();
  else if (what === "host" && directory !== undefined) await bundleHost(directory);
  else {
    process.stderr.write("usage: node tools/bundle.ts desktop | host DIRECTORY\n");
    process.exit(2);
  }
}
