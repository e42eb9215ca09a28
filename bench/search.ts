import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sources } from "@corral/protocol";
import { openStore } from "../apps/engine-host/src/store/open-store.ts";
import type { Store } from "../apps/engine-host/src/store/store.ts";
import { percentile, progress, report, round, type Table } from "./report.ts";
import { SyntheticText } from "./synthetic-text.ts";

const collectionCount = 10;
const chunksPerDocument = 100;
const queriesPerRow = 200;
const limit = 20;
/** ms, on two cores and 100,000 chunks (issue 2). */
const goal = 50;

interface Place {
  collectionId: string;
  documentId: string;
}

/** Fills the store and, with the same words, a plain FTS5 table whose row ids count the chunks. */
async function fill(store: Store, plain: DatabaseSync, text: SyntheticText, chunkCount: number): Promise<Place[]> {
  plain.exec("CREATE VIRTUAL TABLE chunks USING fts5(words, content='', tokenize='ascii')");
  const insert = plain.prepare("INSERT INTO chunks (rowid, words) VALUES (?, ?)");
  const places: Place[] = [];
  const collections = [];
  for (let index = 0; index < collectionCount; index++)
    collections.push(await store.collections.create(`Collection ${index}`));
  const documentCount = chunkCount / chunksPerDocument;
  for (let number = 0; number < documentCount; number++) {
    const collectionId = collections[number % collectionCount]!.id;
    const topic = text.topic();
    const chunks = Array.from({ length: chunksPerDocument }, () => text.chunk(topic).join(" "));
    const document = await store.documents.create({
      collectionId,
      name: `${number}.txt`,
      format: "text",
      file: { path: `/bench/${number}.txt`, owned: false, sha256: number.toString(16).padStart(64, "0"), bytes: 1 },
    });
    await store.documents.saveContent(document.id, {
      title: null,
      language: "en",
      paged: false,
      pages: [{ page: 1, text: "", width: null, height: null, lines: [] }],
      chunks: chunks.map((words) => ({ text: words, headingPath: [], spans: [], tokenEstimate: 256 })),
    });
    plain.exec("BEGIN");
    for (const [ordinal, words] of chunks.entries()) insert.run(number * chunksPerDocument + ordinal + 1, words);
    plain.exec("COMMIT");
    places.push({ collectionId, documentId: document.id });
    if (number % 100 === 99) progress(`  ${(number + 1) * chunksPerDocument} chunks`);
  }
  return places;
}

/** `npm run bench -- search [CHUNKS]`: p50 and p95 of a search, against a plain FTS5 query for any of the words. */
export async function run([count = "100000"]: string[]): Promise<void> {
  const chunkCount = Number(count);
  const folder = mkdtempSync(join(tmpdir(), "corral-bench-search-"));
  const plain = new DatabaseSync(join(folder, "plain.db"));
  const store = await openStore(folder);
  try {
    progress(`Indexing ${chunkCount} chunks …`);
    const start = performance.now();
    const text = new SyntheticText(987_654_321);
    const places = await fill(store, plain, text, chunkCount);
    progress(`  in ${round((performance.now() - start) / 1000, 1)} s, both indexes together`);

    const anyWord = plain.prepare("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY bm25(chunks) LIMIT ?");
    const numberOf = new Map(places.map(({ documentId }, number) => [documentId, number]));
    const oneCollection: Sources = { collectionIds: [places[0]!.collectionId], documentIds: [] };
    const oneDocument: Sources = { collectionIds: [], documentIds: [places[0]!.documentId] };
    const kinds: { query: string; words: () => string[]; sources: Sources | null }[] = [
      { query: "question, 4 rare + 5 common words", words: () => text.question(4, 5), sources: null },
      { query: "question in one collection of ten", words: () => text.question(4, 5), sources: oneCollection },
      { query: "question in one document", words: () => text.question(4, 5), sources: oneDocument },
      { query: "one common word", words: () => text.question(0, 1), sources: null },
      { query: "common words only", words: () => text.question(0, 6), sources: null },
      { query: "30 words", words: () => text.question(12, 18), sources: null },
      { query: "100 words", words: () => text.question(40, 60), sources: null },
    ];
    const rows: Table = [];
    for (const { query, words, sources } of kinds) {
      const corral: number[] = [];
      const fts: number[] = [];
      let shared = 0;
      for (let index = 0; index < queriesPerRow; index++) {
        const question = words();
        const before = performance.now();
        const found = await store.index.search(question.join(" "), sources, limit);
        corral.push(performance.now() - before);
        if (sources) continue;
        const between = performance.now();
        const match = [...new Set(question)].map((word) => `"${word}"`).join(" OR ");
        const expected = anyWord.all(match, limit).map((row) => Number(row["rowid"]));
        fts.push(performance.now() - between);
        const top = new Set(expected.slice(0, 10));
        shared += found
          .slice(0, 10)
          .filter(({ chunk }) =>
            top.has(numberOf.get(chunk.documentId)! * chunksPerDocument + chunk.ordinal + 1),
          ).length;
      }
      rows.push({
        query,
        "Corral p50 ms": round(percentile(corral, 0.5)),
        "Corral p95 ms": round(percentile(corral, 0.95)),
        "FTS5 OR p50 ms": fts.length > 0 ? round(percentile(fts, 0.5)) : "-",
        "FTS5 OR p95 ms": fts.length > 0 ? round(percentile(fts, 0.95)) : "-",
        "top 10 shared": fts.length > 0 ? `${round((shared / queriesPerRow / 10) * 100, 0)} %` : "-",
      });
      progress(`  ${query}`);
    }
    const isMet = Number(rows[0]?.["Corral p95 ms"]) <= goal;
    report("search", { [`Search over ${chunkCount} chunks`]: rows }, { [`questions: p95 at most ${goal} ms`]: isMet });
  } finally {
    await store[Symbol.asyncDispose]();
    plain.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
