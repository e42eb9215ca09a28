/**
 * The yardstick of `throughput`: node-llama-cpp and nothing else, in a process of its own that is set up like an
 * inference worker (UV_THREADPOOL_SIZE=1). Takes one request per message, answers with its times.
 */
import { getLlama, LlamaLogLevel, type Token } from "node-llama-cpp";

/** What the parent sends first, then for each round. Counts in tokens. */
export type ToBareLoop =
  | { type: "load"; path: string; contextSize: number; threads: number }
  | { type: "generate"; promptTokens: number; completionTokens: number };

/** ms. */
export type FromBareLoop =
  { type: "loaded" } | { type: "done"; firstTokenMs: number; decodeMs: number; tokens: number };

const report = (message: FromBareLoop) => process.send?.(message);
let generate: ((promptTokens: number, completionTokens: number) => Promise<void>) | undefined;

async function load({ path, contextSize, threads }: Extract<ToBareLoop, { type: "load" }>): Promise<void> {
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: 0, logLevel: LlamaLogLevel.error });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({ contextSize, threads, sequences: 1 });
  const sequence = context.getSequence();
  const words = model.tokenize("How many tokens does a prompt have that says nothing at all, again and again? ");
  generate = async (promptTokens, completionTokens) => {
    await sequence.clearHistory();
    const prompt: Token[] = Array.from({ length: promptTokens }, (_, index) => words[index % words.length]!);
    const start = performance.now();
    let first = 0;
    let tokens = 0;
    for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      if (first === 0) first = performance.now();
      if (model.isEogToken(token) || ++tokens >= completionTokens) break;
    }
    report({ type: "done", firstTokenMs: first - start, decodeMs: performance.now() - first, tokens });
  };
  report({ type: "loaded" });
}

process.on("message", (message: ToBareLoop) => {
  const work = message.type === "load" ? load(message) : generate?.(message.promptTokens, message.completionTokens);
  work?.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
process.on("disconnect", () => process.exit(0));
