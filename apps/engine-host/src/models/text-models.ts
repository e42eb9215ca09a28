import { CorralError, type EmbeddingPrefixes } from "@corral/protocol";
import type { Clock } from "./abortable.ts";
import type { Instance } from "./model-life.ts";
import type { ModelStatistics } from "./model-statistics.ts";
import type { Embedder, Reranker } from "./models.ts";

/** Texts of one turn in the worker: a query waits for so many of a document's at most. */
const turnTexts = 16;

/**
 * A model that embeds or ranks. It is taken for each turn only, so that a model others wait for need not wait until a thousand
 * documents are embedded; when it was unloaded meanwhile, the next turn loads it again.
 */
export interface TextModel {
  statistics: ModelStatistics;
  clock: Clock;
  /** Until somebody disposes of the lease, or `signal` aborts. */
  use: <Result>(signal: AbortSignal, work: (instance: Instance) => Promise<Result>) => Promise<Result>;
}

/** @param prefixes what the model wants before a text */
export async function embedderOf(text: TextModel, prefixes: EmbeddingPrefixes, signal: AbortSignal): Promise<Embedder> {
  const { id, dimensions, maxTokens } = await text.use(signal, async ({ id, model }) => {
    const counts = await model.countTokens([prefixes.query, prefixes.document], signal);
    const { dimensions = 0, maxTokens = 0 } = model.facts;
    return { id, dimensions, maxTokens: maxTokens - Math.max(...counts) };
  });
  return {
    id,
    dimensions,
    maxTokens,
    embed: (texts, kind, until) => {
      const prefix = prefixes[kind];
      return inTurns(text, texts, kind === "query", until, ({ model }, part) =>
        model.embed(
          part.map((one) => prefix + one),
          until,
        ),
      );
    },
    countTokens: (texts, until) => text.use(until, ({ model }) => model.countTokens(texts, until)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export async function rerankerOf(text: TextModel, signal: AbortSignal): Promise<Reranker> {
  const id = await text.use(signal, (instance) => Promise.resolve(instance.id));
  return {
    id,
    rank: (query, texts, until) =>
      inTurns(text, texts, true, until, ({ model }, part) => model.rank(query, part, until)),
    countTokens: (texts, until) => text.use(until, ({ model }) => model.countTokens(texts, until)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function inTurns<Result>(
  text: TextModel,
  texts: string[],
  isUrgent: boolean,
  signal: AbortSignal,
  work: (instance: Instance, part: string[]) => Promise<Result[]>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < texts.length; from += turnTexts) {
    const part = texts.slice(from, from + turnTexts);
    const done = await text.use(signal, (instance) =>
      instance.turns.run(isUrgent, signal, () => counted(text, () => work(instance, part))),
    );
    results.push(...done);
  }
  return results;
}

async function counted<Result>({ statistics, clock }: TextModel, work: () => Promise<Result>): Promise<Result> {
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
