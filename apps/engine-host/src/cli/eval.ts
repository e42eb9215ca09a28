import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { CorralError, evaluationFileLimit, type EvaluationEvent, type EvaluationResult } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { count, type Output } from "./output.ts";
import { describeLegs, describeSearchNote } from "./search-notes.ts";
import { findCollection } from "./sources.ts";

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
are of a search for ten passages within the host, in milliseconds. Which ways of searching ran goes to stderr: words, and
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
    const files = { queries: await readText(resolve(queries)), judgements: await readText(resolve(qrels)) };
    await using session = await connect();
    const { id } = await findCollection(session.client, collection, signal);
    const events = await session.client.library.evaluate({ collectionId: id, ...files }, { signal });
    const { figures, ...how } = await resultOf(events, output);
    for (const line of howFound(how, figures.queries)) output.note(line);
    output.result(figures, () =>
      [
        `nDCG@10     ${figures.ndcg10.toFixed(1)} %`,
        `recall@5    ${figures.recall5.toFixed(1)} %`,
        `recall@100  ${figures.recall100.toFixed(1)} %`,
        `time        p50 ${figures.p50Ms.toFixed(1)} ms, p95 ${figures.p95Ms.toFixed(1)} ms`,
        `over ${count(figures.queries, "question")}`,
      ].join("\n"),
    );
  },
});

async function resultOf(events: AsyncIterable<EvaluationEvent>, output: Output): Promise<EvaluationResult> {
  for await (const event of events) {
    if (event.type === "done") return event.result;
    if (event.type === "warming") output.status("Preparing …", "Preparing …");
    else output.status(`Asking … ${event.done} of ${count(event.total, "question")}`, "Asking …");
  }
  throw new Error("The host ended the evaluation without a result.");
}

/** Which legs ran and what was noted, each with its share of the questions. */
function howFound({ legs, notes }: Pick<EvaluationResult, "legs" | "notes">, questions: number): string[] {
  const share = (times: number) => (times === questions ? "" : ` (${times} of ${count(questions, "question")})`);
  return [
    ...legs.map((ran) => `Searched ${describeLegs(ran.legs)}${share(ran.queries)}.`),
    ...notes.map(({ note, queries }) => {
      // How many passages there was time for is different each time.
      const words =
        note.type === "rerank-out-of-time"
          ? "The reranking model had no time for all passages."
          : describeSearchNote(note);
      return `${words}${share(queries)}`;
    }),
  ];
}

/** @throws CorralError FILE_NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE */
async function readText(file: string): Promise<{ name: string; content: string }> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new CorralError("FILE_NOT_FOUND", `There is no file ${file}.`, { file });
    throw new CorralError("FILE_UNREADABLE", `${file} cannot be read (${message}).`, { file, reason: message });
  }
  if (content.length <= evaluationFileLimit) return { name: file, content };
  const data = { file, bytes: Buffer.byteLength(content), limitBytes: evaluationFileLimit };
  throw new CorralError("FILE_TOO_LARGE", `${file} is too large for one evaluation; take a part of its lines.`, data);
}
