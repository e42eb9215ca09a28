import { CorralError, type EmbeddingPrefixes } from "@corral/protocol";
import type { Clock } from "./abortable.ts";
import type { Instance } from "./model-life.ts";
import type { ModelStatistics } from "./model-statistics.ts";
import type { Embedder, Reranker } from "./models.ts";

/** Texts of one turn in the worker: a query waits for so many of a document's at most. */
const turnTexts = 16;

/** A lease on a model that embeds or ranks. */
interface TextLease {
  instance: Instance;
  statistics: ModelStatistics;
  clock: Clock;
  giveBack: () => void;
}

/** @param prefixes what the model wants before a text */
export async function embedderOf(
  lease: TextLease,
  prefixes: EmbeddingPrefixes,
  signal: AbortSignal,
): Promise<Embedder> {
  const { id, model, turns } = lease.instance;
  const { dimensions = 0, maxTokens = 0 } = model.facts;
  const prefixTokens = Math.max(...(await model.countTokens([prefixes.query, prefixes.document], signal)));
  return {
    id,
    dimensions,
    maxTokens: maxTokens - prefixTokens,
    embed: (texts, kind, until) =>
      inTurns(texts, (part) =>
        turns.run(kind === "query", until, () =>
          counted(lease, () =>
            model.embed(
              part.map((text) => prefixes[kind] + text),
              until,
            ),
          ),
        ),
      ),
    countTokens: (texts, until) => model.countTokens(texts, until),
    ...disposable(lease),
  };
}

export function rerankerOf(lease: TextLease): Reranker {
  const { id, model, turns } = lease.instance;
  return {
    id,
    rank: (query, texts, until) =>
      inTurns(texts, (part) => turns.run(true, until, () => counted(lease, () => model.rank(query, part, until)))),
    countTokens: (texts, until) => model.countTokens(texts, until),
    ...disposable(lease),
  };
}

function disposable({ giveBack }: TextLease): AsyncDisposable {
  let isHeld = true;
  return {
    [Symbol.asyncDispose]: () => {
      if (isHeld) giveBack();
      isHeld = false;
      return Promise.resolve();
    },
  };
}

async function inTurns<Result>(texts: string[], work: (part: string[]) => Promise<Result[]>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < texts.length; from += turnTexts) {
    results.push(...(await work(texts.slice(from, from + turnTexts))));
  }
  return results;
}

async function counted<Result>({ statistics, clock }: TextLease, work: () => Promise<Result>): Promise<Result> {
  const { counters, timeToFirstToken } = statistics;
  const started = clock.now();
  try {
    const result = await work();
    counters.completed++;
    timeToFirstToken.note(clock.now() - started);
    return result;
  } catch (error) {
    counters[CorralError.reportOf(error).code === "CANCELLED" ? "cancelled" : "failed"]++;
    throw error;
  }
}
