import { parse, resolve } from "node:path";
import type { CorralClient, SearchHit, Sources } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { type JudgedQuery, readJudgedQueries } from "./judged-queries.ts";
import { count } from "./output.ts";
import { ndcg, percentile, recall } from "./ranking-metrics.ts";
import { findCollection } from "./sources.ts";

/** Passages a person is shown at once: what the times are of. */
const PASSAGES_SHOWN = 10;
/** Documents that recall100 looks at. */
const DOCUMENTS = 100;
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
are of a search for ${PASSAGES_SHOWN} passages within the host, in milliseconds.
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
    const report = await measure(session.client, judged, sources, signal, (done) =>
      output.status(`Asking … ${done} of ${count(judged.length, "question")}`, "Asking …"),
    );
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
  progress: (done: number) => void,
) {
  const sum = { ndcg10: 0, recall5: 0, recall100: 0 };
  const times: number[] = [];
  for (const [done, { text, gains }] of judged.entries()) {
    progress(done);
    const shown = await client.library.search({ query: text, sources, limit: PASSAGES_SHOWN }, { signal });
    times.push(shown.tookMs);
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

/** The best documents for a question, by their names, up to {@link DOCUMENTS}. */
async function rankedDocuments(client: CorralClient, query: string, sources: Sources, signal: AbortSignal) {
  let ranked: string[] = [];
  for (const limit of PASSAGE_STEPS) {
    const { hits } = await client.library.search({ query, sources, limit }, { signal });
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
