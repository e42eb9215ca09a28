import { parse } from "node:path";
import type { EvaluationEvent, EvaluationRequest, EvaluationResult, JudgedAnswer, SearchHit } from "@corral/protocol";
import type { SearchLeg, SearchNote, Sources } from "@corral/protocol";
import { type JudgedQuery, judgedQueries } from "./judged-queries.ts";
import { isRelevant, ndcg, percentile, recall } from "./ranking-metrics.ts";
import type { Retrieval } from "./retrieval.ts";

/** Passages a person is shown at once: what the times are of. */
const PASSAGES_SHOWN = 10;
/** Documents that recall100 looks at. */
const DOCUMENTS = 100;
/** How long models may take to load before the first question counts, ms. */
const WARM_UP_MS = 60_000;
/** Passages asked for until they are of so many documents: each step more; the last is what a search gives at most. */
const PASSAGE_STEPS = [100, 300, 1000];
/** Questions that are told one by one, and of each: documents found, documents that should have been. */
const WORST = 50;
const FOUND_TOLD = 5;
const RELEVANT_TOLD = 10;

/**
 * Asks each question and compares what is found with what people judged relevant, as BEIR and trec_eval do. Of several passages
 * of a document the best counts; a document's id in the judgements is its file name without the ending.
 * @throws CorralError FILE_UNREADABLE, INVALID_INPUT (see `judgedQueries`)
 */
export async function* evaluate(
  retrieval: Retrieval,
  { collectionId, queries, judgements }: EvaluationRequest,
  signal: AbortSignal,
): AsyncGenerator<EvaluationEvent, void, void> {
  const judged = judgedQueries(queries, judgements);
  const sources = { collectionIds: [collectionId], documentIds: [] };
  yield { type: "warming" };
  await warmUp(retrieval, judged[0]!.text, sources, signal);
  const figures = new Figures();
  for (const [done, query] of judged.entries()) {
    yield { type: "progress", done, total: judged.length };
    const start = performance.now();
    // As a question is asked: without the syntax of a search field.
    const shown = await retrieval.search(query.text, sources, PASSAGES_SHOWN, signal);
    const tookMs = performance.now() - start;
    figures.add(query, shown, tookMs, await rankedDocuments(retrieval, query.text, sources, signal));
  }
  yield { type: "progress", done: judged.length, total: judged.length };
  yield { type: "done", result: figures.result() };
}

/** Asks until the models are loaded, or for so long that they will not be. */
async function warmUp(retrieval: Retrieval, query: string, sources: Sources, signal: AbortSignal): Promise<void> {
  for (const until = Date.now() + WARM_UP_MS; Date.now() < until;) {
    const { notes } = await retrieval.search(query, sources, PASSAGES_SHOWN, signal);
    if (!notes.some(isLoading)) return;
  }
}

function isLoading(note: SearchNote): boolean {
  return note.type === "embedding-out-of-time" || (note.type === "rerank-out-of-time" && note.ranked === 0);
}

/** The best documents for a question, by their names, up to {@link DOCUMENTS}. */
async function rankedDocuments(retrieval: Retrieval, query: string, sources: Sources, signal: AbortSignal) {
  let ranked: string[] = [];
  for (const limit of PASSAGE_STEPS) {
    const { hits } = await retrieval.search(query, sources, limit, signal);
    ranked = documentsOf(hits);
    if (ranked.length >= DOCUMENTS || hits.length < limit) break;
  }
  return ranked.slice(0, DOCUMENTS);
}

/** Names of the documents in the order of their best passage. */
function documentsOf(hits: Pick<SearchHit, "document">[]): string[] {
  return [...new Set(hits.map(({ document }) => parse(document).name))];
}

/** Adds up how the questions fare. */
class Figures {
  readonly #answers: JudgedAnswer[] = [];
  readonly #recalls: { at5: number; at100: number }[] = [];
  readonly #times: number[] = [];
  readonly #legs = new Map<string, { legs: SearchLeg[]; queries: number }>();
  readonly #notes = new Map<SearchNote["type"], { note: SearchNote; queries: number }>();

  add(
    { id, text, gains }: JudgedQuery,
    { legs, notes }: { legs: SearchLeg[]; notes: SearchNote[] },
    tookMs: number,
    ranked: string[],
  ): void {
    this.#times.push(tookMs);
    count(this.#legs, legs.join(), { legs, queries: 0 });
    for (const note of notes) count(this.#notes, note.type, { note, queries: 0 });
    this.#recalls.push({ at5: recall(ranked, gains, 5), at100: recall(ranked, gains, DOCUMENTS) });
    const relevant = [...gains]
      .filter(([, gain]) => isRelevant(gain))
      .sort(([, a], [, b]) => b - a)
      .slice(0, RELEVANT_TOLD)
      .map(([document]) => ({ document, place: ranked.indexOf(document) + 1 || null }));
    const found = ranked.slice(0, FOUND_TOLD);
    this.#answers.push({ id, text, ndcg10: 100 * ndcg(ranked, gains, 10), relevant, found });
  }

  result(): EvaluationResult {
    return {
      figures: {
        ndcg10: mean(this.#answers.map(({ ndcg10 }) => ndcg10)),
        recall5: mean(this.#recalls.map(({ at5 }) => 100 * at5)),
        recall100: mean(this.#recalls.map(({ at100 }) => 100 * at100)),
        p50Ms: rounded(percentile(this.#times, 0.5)),
        p95Ms: rounded(percentile(this.#times, 0.95)),
        queries: this.#answers.length,
      },
      legs: [...this.#legs.values()],
      notes: [...this.#notes.values()],
      worst: this.#answers
        .map((answer) => ({ ...answer, ndcg10: rounded(answer.ndcg10) }))
        .filter(({ ndcg10 }) => ndcg10 < 100)
        .sort((a, b) => a.ndcg10 - b.ndcg10)
        .slice(0, WORST),
    };
  }
}

function count<Key, Entry extends { queries: number }>(counts: Map<Key, Entry>, key: Key, entry: Entry): void {
  const present = counts.get(key) ?? entry;
  present.queries++;
  counts.set(key, present);
}

function mean(values: number[]): number {
  return rounded(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
