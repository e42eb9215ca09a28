/**
 * The yardstick of `corral bench`: node-llama-cpp and nothing else, in a process of its own that is set up like an
 * inference worker. Takes one request per message, answers with its times.
 */
import { getLlama, LlamaLogLevel, type Token } from "node-llama-cpp";
import type { BareLoopSettings, FromBareLoop, ToBareLoop } from "../engines/bare-loop.ts";

type Generate = Extract<ToBareLoop, { type: "generate" }>;

const report = (message: FromBareLoop) => process.send?.(message);
let generate: ((request: Generate) => Promise<void>) | undefined;

async function load(settings: BareLoopSettings): Promise<void> {
  const { contextSize, sequences, threads, batchSize, gpuLayers } = settings;
  const llama = await getLlama({
    gpu: gpuLayers > 0 ? "auto" : false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    maxThreads: 0,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath: settings.path, gpuLayers, useMmap: settings.mapsWeights });
  const context = await model.createContext({
    ...{ contextSize, sequences, threads, batchSize: Math.min(batchSize, contextSize * sequences) },
    flashAttention: model.flashAttentionSupported,
    ...(settings.kvCacheType === "q8_0"
      ? { experimentalKvCacheKeyType: "Q8_0", experimentalKvCacheValueType: "Q8_0" }
      : {}),
  });
  const lanes = Array.from({ length: sequences }, () => context.getSequence());
  const words = model.tokenize("How many tokens does a prompt have that says nothing at all, again and again? ");
  generate = async ({ streams, promptTokens, completionTokens }) => {
    const used = lanes.slice(0, streams);
    for (const lane of used) await lane.clearHistory();
    const start = performance.now();
    const times = await Promise.all(
      used.map(async (lane, offset) => {
        const prompt = Array.from({ length: promptTokens }, (_, at) => words[(at + offset) % words.length] as Token);
        let first = 0;
        let tokens = 0;
        // A token that would end a reply does not end a measurement.
        for await (const _ of lane.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
          if (first === 0) first = performance.now();
          if (++tokens >= completionTokens) break;
        }
        return { first, end: performance.now() };
      }),
    );
    const { first, end } = times[0]!;
    const totalMs = Math.max(...times.map((time) => time.end)) - start;
    report({ type: "done", firstTokenMs: first - start, decodeMs: end - first, totalMs });
  };
  report({ type: "loaded" });
}

process.on("message", (message: ToBareLoop) => {
  const work = message.type === "load" ? load(message.settings) : generate?.(message);
  work?.catch((error: unknown) => {
    report({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
  });
});
process.on("disconnect", () => process.exit(0));
