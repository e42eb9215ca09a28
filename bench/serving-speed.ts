import { setTimeout as delay } from "node:timers/promises";
import { startBareLoop } from "../apps/engine-host/src/engines/bare-loop.ts";
import { startLlamaServer } from "./llama-server.ts";
import { median, progress, round, type Table } from "./report.ts";
import { type ChatServer, chatOverSse, decodeRate, streamsOverSse } from "./sse-chat.ts";
import type { ServingRun } from "./serving-host.ts";
import { wordOf } from "./synthetic-text.ts";

/** Replies at once. */
const streams = 8;
/** Context of each of llama-server's and the bare loop's slots, tokens; what is read and written is far below. */
const contextSize = 1024;
/** The threads of the side that rests must have stopped spinning, ms. */
const restMs = 400;

interface Speeds {
  one: number;
  eight: number;
}

export interface SpeedResult {
  table: Table;
  settings: Record<string, string | number>;
  /** Ratios by the goal's name. */
  ratios: { oneToBare: number; oneToServer: number | null; eightToServer: number | null };
}

/** A question nobody asked before, so that no prompt is found in a KV cache. */
export function freshQuestion(seed: number, words = 24): string {
  return `Tell me about ${Array.from({ length: words }, (_, at) => wordOf(seed * 997 + at)).join(" ")}`;
}

/** One and eight streams through the host's HTTP, beside llama-server over the same SSE and the bare loop. */
export async function measureSpeed(run: ServingRun, rounds: number, replyTokens: number): Promise<SpeedResult> {
  const { path, threads, plan } = run;
  const batchSize = 512;
  const { kvCacheType } = plan;
  const mapsWeights = false;
  const signal = new AbortController().signal;
  const load = { path, contextSize, sequences: streams, threads, gpuLayers: 0, batchSize, kvCacheType, mapsWeights };
  await using loop = await startBareLoop(load, { signal });
  await using llama = await startLlamaServer({ path, threads, parallel: streams, contextSize, batchSize, kvCacheType });
  let seed = 1;
  const overSse = async (server: ChatServer): Promise<Speeds & { promptTokens: number }> => {
    const one = await chatOverSse(server, [{ role: "user", content: freshQuestion(++seed) }], {
      maxTokens: replyTokens,
    });
    await delay(restMs);
    const questions = Array.from({ length: streams }, () => freshQuestion(++seed));
    const eight = await streamsOverSse(server, questions, replyTokens);
    await delay(restMs);
    return { one: decodeRate(one), eight, promptTokens: one.promptTokens };
  };
  const bare = async (promptTokens: number): Promise<Speeds> => {
    const one = await loop.generate({ streams: 1, promptTokens, completionTokens: replyTokens });
    await delay(restMs);
    const eight = await loop.generate({ streams, promptTokens, completionTokens: replyTokens });
    await delay(restMs);
    return {
      one: ((replyTokens - 1) * 1000) / one.decodeMs,
      eight: (streams * replyTokens * 1000) / eight.totalMs,
    };
  };
  const measured: { corral: Speeds; bare: Speeds; llama: Speeds | null }[] = [];
  // Round 0 warms all up.
  for (let at = 0; at <= rounds; at++) {
    const corral = await overSse(run.server);
    const both = { corral, bare: await bare(corral.promptTokens), llama: llama && (await overSse(llama.server)) };
    if (at > 0) measured.push(both);
    const show = (speeds: Speeds | null) => (speeds ? `${speeds.one.toFixed(1)}/${speeds.eight.toFixed(1)}` : "–");
    progress(`  round ${at}: Corral ${show(corral)}, bare ${show(both.bare)}, llama-server ${show(both.llama)} tok/s`);
  }
  const of = (side: "corral" | "bare" | "llama", what: keyof Speeds) =>
    measured.flatMap((each) => (each[side] ? [each[side][what]] : []));
  const ratio = (side: "bare" | "llama", what: keyof Speeds) => {
    const ratios = measured.flatMap((each) => (each[side] ? [each.corral[what] / each[side][what]] : []));
    return ratios.length === 0 ? null : round(median(ratios), 3);
  };
  const row = (what: string, key: keyof Speeds): Table[number] => ({
    what,
    "Corral over SSE": round(median(of("corral", key)), 1),
    "bare loop": round(median(of("bare", key)), 1),
    "llama-server over SSE": llama ? round(median(of("llama", key)), 1) : "left out",
    "to bare loop": ratio("bare", key) ?? "–",
    "to llama-server": ratio("llama", key) ?? "–",
  });
  return {
    table: [row("one stream, decode tok/s", "one"), row(`${streams} streams, total tok/s`, "eight")],
    settings: {
      ...{ threads, batchSize, kvCacheType, flashAttention: "on, all three", replyTokens, rounds },
      "Corral's slots": plan.slots.map(({ contextSize: size, count }) => `${count} × ${size}`).join(", "),
      "bare loop's slots": `${streams} × ${contextSize}`,
      "llama-server's flags": llama?.flags ?? "left out",
    },
    ratios: {
      oneToBare: ratio("bare", "one") ?? 0,
      oneToServer: ratio("llama", "one"),
      eightToServer: ratio("llama", "eight"),
    },
  };
}
