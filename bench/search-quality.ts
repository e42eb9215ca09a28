import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { readJudgedQueries } from "../apps/engine-host/src/cli/judged-queries.ts";
import { ndcg, recall } from "../apps/engine-host/src/cli/ranking-metrics.ts";
import { openStore } from "../apps/engine-host/src/store/open-store.ts";
import type { Store } from "../apps/engine-host/src/store/store.ts";
import { percentile, progress, report, round, type Table } from "./report.ts";

/** A text of a collection. */
interface Entry {
  _id: string;
  title?: string;
  text: string;
}

async function index(store: Store, texts: Entry[], language: string | null): Promise<void> {
  const { id: collectionId } = await store.collections.create("bench");
  for (const { _id, title, text } of texts) {
    const file = { path: `/bench/${_id}`, owned: false, sha256: _id, bytes: text.length };
    const { id } = await store.documents.create({ collectionId, name: _id, format: "text", file });
    const chunk = { text, headingPath: [], spans: [{ page: 1, start: 0, end: text.length }], tokenEstimate: 0 };
    await store.documents.saveContent(id, { title: title ?? "", language, paged: false, pages: [], chunks: [chunk] });
  }
}

async function measure(folder: string): Promise<Table[number]> {
  const language = /^lang: (\w+)/m.exec(readFileSync(join(folder, "README.md"), "utf8"))?.[1] ?? null;
  const directory = mkdtempSync(join(tmpdir(), "corral-quality-"));
  try {
    await using store = await openStore(directory);
    const corpus = readFileSync(join(folder, "corpus.jsonl"), "utf8").trim().split("\n");
    const texts = corpus.map((line) => JSON.parse(line) as Entry);
    await index(store, texts, language);
    const queries = await readJudgedQueries(join(folder, "queries.jsonl"), join(folder, "qrels.tsv"));
    const sums = { ndcg: 0, recall: 0 };
    const times: number[] = [];
    for (const { text, gains } of queries) {
      const start = performance.now();
      const hits = await store.index.search(text, null, 10);
      times.push(performance.now() - start);
      const ranked = hits.map(({ chunk }) => chunk.document);
      sums.ndcg += ndcg(ranked, gains, 10);
      sums.recall += recall(ranked, gains, 5);
    }
    return {
      collection: basename(folder),
      language: language ?? "-",
      queries: times.length,
      "nDCG@10": round((100 * sums.ndcg) / times.length, 1),
      "recall@5": round((100 * sums.recall) / times.length, 1),
      "p50 ms": round(percentile(times, 0.5), 1),
      "p95 ms": round(percentile(times, 0.95), 1),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * `npm run bench -- search-quality FOLDER…`: how well the store's index finds what people judged relevant, on collections
 * in BEIR's layout (corpus.jsonl, queries.jsonl, qrels.tsv, and `lang: xx` in README.md). Each text is a document of one
 * chunk. Corral ships no such collection.
 */
export async function run(folders: string[]): Promise<void> {
  if (folders.length === 0) throw new Error("Name at least one folder with a collection in BEIR's layout.");
  const rows: Table = [];
  for (const folder of folders) {
    progress(folder);
    rows.push(await measure(folder));
  }
  report("search-quality", { "Search quality": rows }, {});
}
