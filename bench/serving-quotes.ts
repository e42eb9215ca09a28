import { answer, ask, loadReader, longPassages } from "../apps/engine-host/src/engines/testing/reader-engine.ts";
import type { GenerateRequest } from "../apps/engine-host/src/engines/engine.ts";
import { median, progress, round } from "./report.ts";
import type { Comparison } from "./serving-latency.ts";

/** Replies that quote long passages, with what guesses ahead and without, on the reader model. */
export async function measureQuotes(rounds: number, threads: number): Promise<Comparison[]> {
  await using model = await loadReader([{ contextSize: 2048, count: 1 }], { threads });
  const passages = longPassages(600, "a quoted book");
  const quotes = passages.map((_, at) => `${passages.slice(at, at + 8).join(" ")} [${at + 1}]`);
  const question = "What does note 12 say?";
  const rate = async (request: GenerateRequest) => {
    const { statistics } = await answer(model, request);
    return { perSecond: ((statistics.completionTokens - 1) * 1000) / statistics.decodeMs, ...statistics };
  };
  const ways: [string, GenerateRequest, GenerateRequest][] = [
    [
      "quoting answer with the rest of a quote written out",
      ask(question, passages, { alternatives: quotes, maxTokens: 240, cacheOwner: "bench" }),
      // A token at a time, and without a grammar, which would only slow it down.
      ask(question, passages, { maxTokens: 120, cacheOwner: "bench" }),
    ],
    [
      "free answer with prompt lookup",
      ask(question, passages, { maxTokens: 120, cacheOwner: "bench", speculation: "prompt-lookup" }),
      ask(question, passages, { maxTokens: 120, cacheOwner: "bench" }),
    ],
  ];
  const results: Comparison[] = [];
  for (const [what, request, plainRequest] of ways) {
    const pairs: { guessing: number; plain: number }[] = [];
    let told = "";
    for (let at = 0; at <= rounds; at++) {
      const guessing = await rate(request);
      const plain = await rate(plainRequest);
      if (at > 0) pairs.push({ guessing: guessing.perSecond, plain: plain.perSecond });
      const { accepted = 0, rejected = 0 } = guessing.speculation ?? {};
      told = `${guessing.completionTokens} tokens, ${accepted} guessed right, ${rejected} wrong`;
    }
    progress(`  ${what}: ${told}`);
    const ratio = median(pairs.map(({ guessing, plain }) => guessing / plain));
    results.push({
      ratio,
      row: {
        what: `${what} (${told})`,
        unit: "tok/s",
        measured: round(median(pairs.map(({ guessing }) => guessing)), 1),
        against: "without",
        "measured of that": round(median(pairs.map(({ plain }) => plain)), 1),
        ratio: round(ratio, 3),
      },
    });
  }
  return results;
}
