import { setTimeout as delay } from "node:timers/promises";
import { type CorralClient, defaultSampling } from "@corral/protocol";
import { type BareLoop, startBareLoop } from "../apps/engine-host/src/engines/bare-loop.ts";
import { benchModel, type ModelSize, sizes } from "./make-model.ts";
import { median, progress, report, round, type Table } from "./report.ts";
import { serveHost } from "./served-host.ts";
import { wordOf } from "./synthetic-text.ts";

/** Tokens of one reply: long enough that the ends do not matter. */
const replyTokens = 384;
/** A reply that takes longer hangs. ms */
const patience = 300_000;
/** Issue 2: through the protocol at least this share of the bare loop's tokens per second. */
const goal = 0.95;

interface Measurement {
  /** From sending the question, or starting the evaluation, to the first text. ms */
  firstTokenMs: number;
  decodeTokensPerSecond: number;
  /** From sending to the end of the reply. ms */
  totalMs: number;
  promptTokens: number;
}

/** A question nobody asked before, so that no prompt is found in the KV cache. */
function question(round: number): string {
  return Array.from({ length: 160 }, (_, index) => wordOf(round * 1000 + index)).join(" ");
}

async function throughProtocol(client: CorralClient, model: string, round: number): Promise<Measurement> {
  const settings = { model, sampling: { ...defaultSampling, temperature: 0, maxTokens: replyTokens } };
  const { id: conversationId } = await client.conversations.create({ settings });
  const start = performance.now();
  const { reply } = await client.chat.send({ conversationId, text: question(round) });
  let first = 0;
  let last = 0;
  const options = { signal: AbortSignal.timeout(patience) };
  for await (const part of await client.chat.follow({ messageId: reply.id }, options)) {
    // What was written before `follow` arrived comes in the snapshot.
    const isText = part.type === "text-delta" || (part.type === "snapshot" && part.message.text !== "");
    if (isText && first === 0) first = performance.now();
    if (isText) last = performance.now();
    if (part.type !== "finish") continue;
    const { usage, finishReason, error } = part.message;
    if (usage?.completionTokens !== replyTokens || finishReason !== "length")
      throw new Error(`The reply ended early: ${JSON.stringify({ usage, finishReason, error })}`);
    await client.conversations.remove({ conversationId });
    return {
      firstTokenMs: first - start,
      decodeTokensPerSecond: ((replyTokens - 1) / (last - first)) * 1000,
      totalMs: performance.now() - start,
      promptTokens: usage.promptTokens - usage.cachedTokens,
    };
  }
  throw new Error("The reply did not end.");
}

async function bare(loop: BareLoop, promptTokens: number): Promise<Measurement> {
  const result = await loop.generate({ streams: 1, promptTokens, completionTokens: replyTokens });
  return {
    firstTokenMs: result.firstTokenMs,
    decodeTokensPerSecond: ((replyTokens - 1) / result.decodeMs) * 1000,
    totalMs: result.firstTokenMs + result.decodeMs,
    promptTokens,
  };
}

/** `npm run bench -- throughput [100m|1b] [ROUNDS]` */
export async function run([size = "100m", rounds = "7"]: string[]): Promise<void> {
  if (!(size in sizes)) throw new Error("Usage: npm run bench -- throughput [100m|1b] [ROUNDS]");
  const path = benchModel(size as ModelSize);
  await using host = await serveHost();
  await using session = await host.connect();
  const { client } = session;
  const { id: model } = await client.models.add({ path });
  await client.models.load({ model });
  const { threads, contextSize, kvCacheType } = await client.models.plan({ model });
  const same = {
    path,
    contextSize,
    threads,
    kvCacheType,
    sequences: 1,
    gpuLayers: 0,
    batchSize: 512,
    mapsWeights: true,
  };
  await using loop = await startBareLoop(same, { signal: new AbortController().signal });

  const measured: { corral: Measurement; bare: Measurement }[] = [];
  // Round 0 warms both up.
  for (let round = 0; round <= Number(rounds); round++) {
    const corral = await throughProtocol(client, model, round);
    // The threads of the side that rests must have stopped spinning.
    await delay(500);
    const yardstick = await bare(loop, corral.promptTokens);
    await delay(500);
    if (round > 0) measured.push({ corral, bare: yardstick });
    progress(
      `  round ${round}: ${corral.decodeTokensPerSecond.toFixed(1)} and ${yardstick.decodeTokensPerSecond.toFixed(1)} tok/s`,
    );
  }

  const of = (side: "corral" | "bare", value: (measurement: Measurement) => number) =>
    median(measured.map((both) => value(both[side])));
  const row = (what: string, value: (measurement: Measurement) => number, isRate: boolean) => {
    const ratio = median(
      measured.map((both) => (isRate ? value(both.corral) / value(both.bare) : value(both.bare) / value(both.corral))),
    );
    return {
      "": what,
      "through the UI protocol": round(of("corral", value)),
      "bare node-llama-cpp": round(of("bare", value)),
      ratio: round(ratio, 3),
    };
  };
  const table: Table = [
    row("decode, tok/s", ({ decodeTokensPerSecond }) => decodeTokensPerSecond, true),
    row("whole reply, tok/s", ({ totalMs }) => (replyTokens / totalMs) * 1000, true),
    row("time to first token, ms", ({ firstTokenMs }) => firstTokenMs, false),
  ];
  const promptTokens = measured[0]?.corral.promptTokens ?? 0;
  report(
    size === "100m" ? "throughput" : `throughput-${size}`,
    { [`${size} model, Q8_0, ${threads} threads, ${promptTokens} prompt and ${replyTokens} reply tokens`]: table },
    { [`decode: at least ${goal} of the bare loop`]: Number(table[0]?.["ratio"]) >= goal },
  );
}
