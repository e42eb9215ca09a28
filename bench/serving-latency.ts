import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { median, progress, round, type Table } from "./report.ts";
import type { ServingRun } from "./serving-host.ts";
import { freshQuestion } from "./serving-speed.ts";
import { type ChatMessage, chatOverSse, decodeRate } from "./sse-chat.ts";
import { SyntheticText, wordOf } from "./synthetic-text.ts";

export interface Comparison {
  row: Table[number];
  /** Null: not measured. */
  ratio: number | null;
}

/** A row of two figures and how they compare. */
export function compared(
  what: string,
  unit: string,
  [corral, other]: [number, number],
  against: string,
  ratio: number,
) {
  const row = {
    what,
    unit,
    measured: round(corral, 1),
    against,
    "measured of that": round(other, 1),
    ratio: round(ratio, 3),
  };
  return { row, ratio };
}

/** A user's words that make about so many tokens of the reader's tokenizer. */
async function textOf(tokens: number, seed: number, run: ServingRun): Promise<string> {
  const sample = await chatOverSse(run.server, [{ role: "user", content: freshQuestion(seed, 200) }], { maxTokens: 1 });
  return freshQuestion(seed + 1, Math.floor((tokens / sample.promptTokens) * 200));
}

/** The first token of a chat's first turn of 4,000 tokens, of its second turn, and of its third after a restart. */
export async function measureTurns(run: ServingRun, rounds: number, promptTokens: number): Promise<Comparison[]> {
  const firsts: number[] = [];
  const seconds: number[] = [];
  const restored: number[] = [];
  let cached = { second: 0, restored: 0 };
  for (let at = 0; at < rounds; at++) {
    const messages: ChatMessage[] = [{ role: "user", content: await textOf(promptTokens, 5000 + at * 10, run) }];
    const turn = async () => {
      const reply = await chatOverSse(run.server, messages, { maxTokens: 16 });
      messages.push({ role: "assistant", content: reply.text }, { role: "user", content: `And then? ${at}` });
      return reply;
    };
    const first = await turn();
    const second = await turn();
    // Kept on disk once the slot was idle for some seconds, or when the host ends.
    await delay(6000);
    await run.restart();
    const third = await turn();
    firsts.push(first.firstTokenMs);
    seconds.push(second.firstTokenMs);
    restored.push(third.firstTokenMs);
    cached = { second: second.cachedTokens, restored: third.cachedTokens };
    const ms = [first, second, third].map(({ firstTokenMs }) => firstTokenMs.toFixed(0)).join(", ");
    progress(
      `  turns of ${first.promptTokens} tokens: ${ms} ms; found in the cache ${cached.second}, ${cached.restored}`,
    );
  }
  const first = median(firsts);
  return [
    compared(
      `second turn of a chat of ${promptTokens} tokens, first token (${cached.second} tokens in the cache)`,
      "ms",
      [median(seconds), first],
      "first turn",
      first / median(seconds),
    ),
    compared(
      `the same after a restart of the host (${cached.restored} tokens in the cache)`,
      "ms",
      [median(restored), first],
      "prefill again",
      first / median(restored),
    ),
  ];
}

/** How fast a reply is written while files are indexed, beside without. */
export async function measureWhileIndexing(run: ServingRun, files: number, rounds: number): Promise<Comparison> {
  const speed = async (seed: number) => {
    const messages: ChatMessage[] = [{ role: "user", content: freshQuestion(seed) }];
    return decodeRate(await chatOverSse(run.server, messages, { maxTokens: 256 }));
  };
  const alone: number[] = [];
  for (let at = 0; at < rounds; at++) alone.push(await speed(7000 + at));
  const folder = join(run.dataDirectory, "bench-files");
  mkdirSync(folder);
  const source = new SyntheticText(77);
  const sentence = () => `${Array.from({ length: 14 }, () => wordOf(source.rank())).join(" ")}.`;
  for (let at = 0; at < files; at++) {
    const text = Array.from({ length: 60 }, sentence).join(" ");
    writeFileSync(join(folder, `${at}.txt`), `File ${at}\n\n${text}\n`);
  }
  const { id: collectionId } = await run.client.library.createCollection({ name: "Bench" });
  await run.client.library.addPaths({ collectionId, paths: [folder] });
  const isIndexing = async () =>
    (await run.client.library.documents({ collectionId })).some(({ state }) => state !== "ready" && state !== "failed");
  const beside: number[] = [];
  while (beside.length < 4 * rounds && (await isIndexing())) beside.push(await speed(7100 + beside.length));
  const what = `decode tok/s while ${files} files are indexed`;
  if (beside.length === 0)
    return { row: { what, unit: "left out", against: "indexing ended before one reply" }, ratio: null };
  progress(`  alone ${alone.map(Math.round).join(", ")}; while indexing ${beside.map(Math.round).join(", ")} tok/s`);
  return compared(what, "tok/s", [median(beside), median(alone)], "without", median(beside) / median(alone));
}
