import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../apps/engine-host/src/store/open-store.ts";
import type { Store } from "../apps/engine-host/src/store/store.ts";

/**
 * Search quality: nDCG@10 and recall@5 of the store's index over collections in BEIR's layout (corpus.jsonl, queries.jsonl,
 * qrels.tsv, and `lang: xx` in README.md). Each text is one document of one chunk.
 *   node bench/search-quality.ts FOLDER…   (default: every folder of shared/data/ir)
 */
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

async function measure(folder: string): Promise<void> {
  const language = /^lang: (\w+)/m.exec(readFileSync(join(folder, "README.md"), "utf8"))?.[1] ?? null;
  const directory = mkdtempSync(join(tmpdir(), "corral-quality-"));
  try {
    await using store = await openStore(directory);
    await index(store, entries(join(folder, "corpus.jsonl")), process.env["DETECT"] ? null : language);
    const relevant = judgements(join(folder, "qrels.tsv"));
    let ndcg = 0;
    let recall = 0;
    let queries = 0;
    const times: number[] = [];
    for (const { _id, text } of entries(join(folder, "queries.jsonl"))) {
      const gains = relevant.get(_id);
      if (!gains) continue;
      const start = performance.now();
      const hits = await store.index.search(text, null, 10);
      times.push(performance.now() - start);
      const ranked = hits.map(({ chunk }) => chunk.document);
      ndcg += ndcgAt10(ranked, gains);
      const positive = [...gains.values()].filter((gain) => gain > 0).length;
      recall += positive === 0 ? 0 : ranked.slice(0, 5).filter((id) => (gains.get(id) ?? 0) > 0).length / positive;
      queries++;
    }
    times.sort((a, b) => a - b);
    const percent = (value: number) => ((100 * value) / queries).toFixed(1);
    console.log(
      `${folder.split("/").at(-1)}: nDCG@10 ${percent(ndcg)}, recall@5 ${percent(recall)}, ${queries} queries, ` +
        `p50 ${times[times.length >> 1]!.toFixed(1)} ms, p95 ${times[Math.floor(times.length * 0.95)]!.toFixed(1)} ms`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const shared = new URL("../shared/data/ir", import.meta.url).pathname;
const given = process.argv.slice(2);
const folders =
  given.length > 0 ? given : existsSync(shared) ? readdirSync(shared).map((name) => join(shared, name)) : [];
if (folders.length === 0)
  console.error("Name folders in BEIR's layout (corpus.jsonl, queries.jsonl, qrels.tsv, README.md).");
for (const folder of folders) await measure(folder);
