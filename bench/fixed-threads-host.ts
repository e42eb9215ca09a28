/**
 * Engine-host as `corral serve` runs it, but for the number of threads: a plan leaves cores to other programs that are
 * busy, and the load of the benchmark itself must not change what is measured.
 *
 *     node bench/fixed-threads-host.ts DATA-DIRECTORY THREADS
 */
import { join, resolve } from "node:path";
import type { Engine } from "../apps/engine-host/src/engines/engine.ts";
import { createLlamaEngine } from "../apps/engine-host/src/engines/llama-engine.ts";
import { openLogger } from "../apps/engine-host/src/logger.ts";
import { startHost } from "../apps/engine-host/src/main.ts";

const [dataDirectory = "", threads = "2"] = process.argv.slice(2);
const logger = openLogger({ directory: null, stderr: null });
const llama = createLlamaEngine({ logger, stateDirectory: join(dataDirectory, "kv-cache") });
const engine: Engine = {
  load: (file, settings, options) => llama.load(file, { ...settings, threads: Number(threads) }, options),
  forget: (owner) => llama.forget(owner),
};
const host = await startHost({
  dataDirectory,
  resourcesDirectory: resolve(import.meta.dirname, "../resources"),
  shell: "headless",
  stderrLevel: null,
  engine,
});
const { address } = await host.listen({ port: 0, ui: null });
process.stdout.write(`${JSON.stringify({ url: address })}\n`);
process.once("SIGTERM", () => void host[Symbol.asyncDispose]().then(() => process.exit(0)));
