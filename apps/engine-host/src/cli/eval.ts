import { parse, resolve } from "node:path";
import type { CorralClient, SearchHit, SearchLeg, SearchNote, Sources } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { type JudgedQuery, readJudgedQueries } from "./judged-queries.ts";
import { count } from "./output.ts";
import { ndcg, percentile, recall } from "./ranking-metrics.ts";
import { describeLegs, describeSearchNote } from "./search-notes.ts";
import { findCollection } from "./sources.ts";

/** Passages a person is shown at once: what the times are of. */
const PASSAGES_SHOWN = 10;
/** Documents that recall100 looks at. */
const DOCUMENTS = 100;
/** How long models may take to load before the first question counts, ms. */
const WARM_UP_MS = 60_000;
/** Passages asked for until they are of so many documents: each step more; the last is the contract's limit. */
const PASSAGE_STEPS = [100, 300, 1000];

export const evaluate = defineCommand({
  name: "eval",
  summary: "measure how well a collection answers questions with known answers",
  help: `
Usage: corral eval retrieval --collection NAME --queries FILE.jsonl --qrels FILE.tsv [--json]

Asks each question and compares what is found with what people judged relevant, as BEIR and trec_eval do.
  --collection NAME  the collection to search
  --queries FILE     one JSON object per line: {"_id","text"}
  --qrels FILE       tab-separated, with the header query-id, corpus-id, score
A document's id (corpus-id) is its file name without the ending. Of several passages of a document the best counts.
Questions without a relevant document are left out. nDCG and recall are means over the questions, in percent; the times
are of a search for ${PASSAGES_SHOWN} passages within the host, in milliseconds. Which ways of searching ran goes to stderr: words, and
meaning and a second reading where models for that are installed and everything is embedded.
With --json: {"ndcg10","recall5","recall100","p50Ms","p95Ms","queries"}.`,
  options: { collection: { type: "string" }, queries: { type: "string" }, qrels: { type: "string" } },
  async run({ values, positionals, connect, output, signal }) {
    const { collection, queries, qrels } = values;
    if (positionals.length !== 1 || positionals[0] !== "retrieval")
      throw new UsageError("Say what to measure: corral eval retrieval.");
    if (!collection) throw new UsageError("Say in which collection: --collection NAME.");
    if (!queries) throw new UsageError("Say which questions: --queries FILE.jsonl.");
    if (!qrels) throw new UsageError("Say what is relevant: --qrels FILE.tsv.");
    const judged = await readJudgedQueries(resolve(queries), resolve(qrels));
    await using session = await connect();
    const { id } = await findCollection(session.client, collection, signal);
    const sources = { collectionIds: [id], documentIds: [] };
    await warmUp(session.client, judged[0]!.text, sources, signal);
    const legs = new LegCounts();
    const report = await measure(session.client, judged, sources, signal, (done, found) => {
      legs.add(found);
      output.status(`Asking … ${done} of ${count(judged.length, "question")}`, "Asking …");
    });
    for (const line of legs.lines(judged.length)) output.note(line);
    output.result(report, () =>
      [
        `nDCG@10     ${report.ndcg10.toFixed(1)} %`,
        `recall@5    ${report.recall5.toFixed(1)} %`,
        `recall@100  ${report.recall100.toFixed(1)} %`,
        `time        p50 ${report.p50Ms.toFixed(1)} ms, p95 ${report.p95Ms.toFixed(1)} ms`,
        `over ${count(report.queries, "question")}`,
      ].join("\n"),
    );
  },
});

/** Means over the questions in percent, times in ms. */
async function measure(
  client: CorralClient,
  judged: JudgedQuery[],
  sources: Sources,
  signal: AbortSignal,
  progress: (done: number, found: HowFound) => void,
) {
  const sum = { ndcg10: 0, recall5: 0, recall100: 0 };
  const times: number[] = [];
  for (const [done, { text, gains }] of judged.entries()) {
    const shown = await search(client, text, sources, PASSAGES_SHOWN, signal);
    times.push(shown.tookMs);
    progress(done + 1, shown);
    const ranked = await rankedDocuments(client, text, sources, signal);
    sum.ndcg10 += ndcg(ranked, gains, 10);
    sum.recall5 += recall(ranked, gains, 5);
    sum.recall100 += recall(ranked, gains, DOCUMENTS);
  }
  const mean = (total: number) => rounded((100 * total) / judged.length);
  return {
    ndcg10: mean(sum.ndcg10),
    recall5: mean(sum.recall5),
    recall100: mean(sum.recall100),
    p50Ms: rounded(percentile(times, 0.5)),
    p95Ms: rounded(percentile(times, 0.95)),
    queries: judged.length,
  };
}

/** Asks as a question is asked: without the syntax of a search field. */
function search(client: CorralClient, query: string, sources: Sources, limit: number, signal: AbortSignal) {
  return client.library.search({ query, sources, limit, syntax: false }, { signal });
}

/** Asks until the models are loaded, or for so long that they will not be. */
async function warmUp(client: CorralClient, query: string, sources: Sources, signal: AbortSignal): Promise<void> {
  for (const until = Date.now() + WARM_UP_MS; Date.now() < until;) {
    const { notes } = await search(client, query, sources, PASSAGES_SHOWN, signal);
    if (!notes.some(isLoading)) return;
  }
}

function isLoading(note: SearchNote): boolean {
  return note.type === "embedding-out-of-time" || (note.type === "rerank-out-of-time" && note.ranked === 0);
}

interface HowFound {
  legs: SearchLeg[];
  notes: SearchNote[];
}

/** How often which legs ran, and what was noted. */
class LegCounts {
  readonly #legs = new Map<string, number>();
  readonly #notes = new Map<string, number>();

  add({ legs, notes }: HowFound): void {
    const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    add(this.#legs, describeLegs(legs));
    // How many passages there was time for is different each time.
    for (const note of notes)
      add(
        this.#notes,
        note.type === "rerank-out-of-time"
          ? "The reranking model had no time for all passages."
          : describeSearchNote(note),
      );
  }

  lines(questions: number): string[] {
    const share = (times: number) => (times === questions ? "" : ` (${times} of ${count(questions, "question")})`);
    return [
      ...[...this.#legs].map(([legs, times]) => `Searched ${legs}${share(times)}.`),
      ...[...this.#notes].map(([note, times]) => `${note}${share(times)}`),
    ];
  }
}

/** The best documents for a question, by their names, up to {@link DOCUMENTS}. */
async function rankedDocuments(client: CorralClient, query: string, sources: Sources, signal: AbortSignal) {
  let ranked: string[] = [];
  for (const limit of PASSAGE_STEPS) {
    const { hits } = await search(client, query, sources, limit, signal);
    ranked = documentsOf(hits);
    if (ranked.length >= DOCUMENTS || hits.length < limit) break;
  }
  return ranked.slice(0, DOCUMENTS);
}

/** Names of the documents in the order of their best passage. */
function documentsOf(hits: Pick<SearchHit, "document">[]): string[] {
  return [...new Set(hits.map(({ document }) => parse(document).name))];
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
