import { openLogger } from "../logger.ts";
import { createLlamaEngine } from "./llama-engine.ts";

// Started by orphan.model.test.ts: loads a model, says which process holds it, and waits to be killed.
const [path = ""] = process.argv.slice(2);
const engine = createLlamaEngine({ logger: openLogger({ directory: null, stderr: null }) });
const settings = { slots: [{ contextSize: 256, count: 1 }], gpuLayers: 0, threads: 1, kvCacheType: "f16" as const };
const model = await engine.load({ id: "reader", path }, settings, { signal: new AbortController().signal });
process.stdout.write(`${(model as unknown as { pid: number }).pid}\n`);
setInterval(() => undefined, 60_000);
