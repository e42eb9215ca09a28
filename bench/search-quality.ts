import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openStore } from "../apps/engine-host/src/store/open-store.ts";
import type { Store } from "../apps/engine-host/src/store/store.ts";
import { percentile, progress, report, round, type Table } from "./report.ts";

/** A text or a query. */
interface Entry {
  _id: string;
  title?: string;
  text: string;
}

const lines = (file: string) => readFileSync(file, "utf8").trim().split("\n");
const entries = (file: string) => lines(file).map((line) => JSON.parse(line) as Entry);

/** Gains of the relevant texts, per query. */
function judgements(file: string): Map<string, Map<string, number>> {
  const found = new Map<string, Map<string, number>>();
  for (const line of lines(file).slice(1)) {
    const [query, text, gain] = line.split("\t") as [string, string, string];
    if (!found.has(query)) found.set(query, new Map());
    found.get(query)!.set(text, Number(gain));
  }
  return found;
}

/** Linear gains, as trec_eval and BEIR count. */
function ndcgAt10(ranked: string[], gains: Map<string, number>): number {
  const discounted = (values: number[]) =>
    values.slice(0, 10).reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
  const ideal = discounted([...gains.values()].sort((a, b) => b - a));
  return ideal === 0 ? 0 : discounted(ranked.map((id) => gains.get(id) ?? 0)) / ideal;
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
    await index(store, entries(join(folder, "corpus.jsonl")), language);
    const relevant = judgements(join(folder, "qrels.tsv"));
    let ndcg = 0;
    let recall = 0;
    const times: number[] = [];
    for (const { _id, text } of entries(join(folder, "queries.jsonl"))) {
      const gains = relevant.get(_id);
      if (!gains) continue;
      const start = performance.now();
      const hits = await store.index.search(text, null, 10);
      times.push(performance.now() - start);
      const ranked = hits.map(({ chunk }) => chunk.document);
      const positive = [...gains.values()].filter((gain) => gain > 0).length;
      ndcg += ndcgAt10(ranked, gains);
      recall += ranked.slice(0, 5).filter((id) => (gains.get(id) ?? 0) > 0).length / Math.max(1, positive);
    }
    return {
      collection: basename(folder),
      language: language ?? "-",
      queries: times.length,
      "nDCG@10": round((100 * ndcg) / times.length, 1),
      "recall@5": round((100 * recall) / times.length, 1),
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
