import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { load as loadSqliteVec } from "sqlite-vec";
import { inTransaction, openDatabase } from "../apps/engine-host/src/store/database.ts";
import { openStore } from "../apps/engine-host/src/store/open-store.ts";
import { vectorTidier } from "../apps/engine-host/src/store/tidy-vectors.ts";
import { vectorTable } from "../apps/engine-host/src/store/vectors.ts";
import { vectorWriter } from "../apps/engine-host/src/store/vector-writer.ts";
import { percentile, progress, report, round, type Table } from "./report.ts";
import { dot, SyntheticVectors } from "./synthetic-vectors.ts";

const dimensions = 768;
const limit = 10;
const chunksPerDocument = 100;
const lancedb = "@lancedb/lancedb@0.39.0";
/** How many times faster than the peers, and the recall at 10 (issue 6). */
const goals = { sqliteVec: 15, lancedb: 25, recall: 0.99, bitsRecall: 0.98 };

interface Measured {
  times: number[];
  recall: number;
  /** Vectors stored per second. */
  perSecond: number;
  /** Bytes in memory for each vector, bytes on disk for each; null: not told. */
  memory: number | null;
  disk: number | null;
}

interface Data {
  vectors: Float32Array[];
  queries: Float32Array[];
  /** Numbers of the ten nearest vectors of each query by exact float arithmetic. */
  truth: Set<number>[];
}

function makeData(count: number, queryCount: number): Data {
  const source = new SyntheticVectors(4711, dimensions);
  const vectors = Array.from({ length: count }, () => source.next());
  const queries = Array.from({ length: queryCount }, (_, i) =>
    source.query(vectors[Math.floor(((i * 0.618_034) % 1) * count)]!),
  );
  progress("Exact answers …");
  const truth = queries.map((query) => {
    const scores = Float64Array.from(vectors, (vector) => dot(query, vector));
    const best = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
    return new Set(best.subarray(0, limit));
  });
  return { vectors, queries, truth };
}

/** Asks every query, the first few twice so that everything is warm. `search` answers numbers of vectors. */
async function ask(
  { queries, truth }: Data,
  search: (query: Float32Array) => Promise<number[]> | number[],
): Promise<Pick<Measured, "times" | "recall">> {
  for (const query of queries.slice(0, 5)) await search(query);
  const times: number[] = [];
  let found = 0;
  for (const [i, query] of queries.entries()) {
    const before = performance.now();
    const numbers = await search(query);
    times.push(performance.now() - before);
    found += numbers.filter((number) => truth[i]!.has(number)).length;
  }
  return { times, recall: found / (limit * queries.length) };
}

/** Bytes of the database, once everything is tidy and written into it. */
function tidySize(folder: string): number {
  const database = openDatabase(folder, "write");
  const tidier = vectorTidier(database, vectorWriter(database));
  while (inTransaction(database, "write", () => tidier.step()));
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  return statSync(join(folder, "corral.sqlite")).size;
}

/** Stores documents with as many chunks as there are vectors. @returns the number of each document's first vector */
async function addDocuments(data: Data, folder: string): Promise<Map<string, number>> {
  await using store = await openStore(folder, () => {});
  const { id: collectionId } = await store.collections.create("c");
  const documents = new Map<string, number>();
  for (let from = 0; from < data.vectors.length; from += chunksPerDocument) {
    const file = { path: `${from}`, owned: false, sha256: `${from}`, bytes: 1 };
    const { id } = await store.documents.create({ collectionId, name: `${from}`, format: "text", file });
    const chunks = Array.from({ length: Math.min(chunksPerDocument, data.vectors.length - from) }, (_, i) => ({
      text: `chunk ${from + i}`,
      headingPath: [],
      spans: [],
      tokenEstimate: 256,
    }));
    await store.documents.saveContent(id, { title: null, language: null, paged: false, pages: [], chunks });
    documents.set(id, from);
  }
  return documents;
}

/** Through the store as the product uses it: threads, transactions, texts of the hits. */
async function measureStore(data: Data, folder: string): Promise<Measured> {
  const documents = await addDocuments(data, folder);
  const before = tidySize(folder);
  await using store = await openStore(folder, () => {});
  let added = 0;
  let ms = 0;
  for (let after = 0; ;) {
    const missing = await store.vectors.missing("m", after, 512);
    if (missing.length === 0) break;
    after = missing.at(-1)!.key;
    // Texts and keys rise together.
    const entries = missing.map(({ key }) => ({ key, vector: data.vectors[added++]! }));
    const start = performance.now();
    await store.vectors.add("m", entries);
    ms += performance.now() - start;
  }
  const asked = await ask(data, async (query) =>
    (await store.vectors.search("m", query, null, limit)).map(
      ({ chunk }) => documents.get(chunk.documentId)! + chunk.ordinal,
    ),
  );
  const memory = (await store.vectors.residentBytes()) / data.vectors.length;
  await store[Symbol.asyncDispose]();
  const disk = (tidySize(folder) - before) / data.vectors.length;
  return { ...asked, perSecond: (1000 * data.vectors.length) / ms, memory, disk };
}

/** As above 300,000 chunks: the same vectors with bits in memory, after the recall was measured. On this thread. */
async function measureBits(data: Data, folder: string): Promise<Measured & { candidates: number; told: number }> {
  const database = openDatabase(folder, "write");
  try {
    const writer = vectorWriter(database);
    const tidier = vectorTidier(database, writer, 0);
    while (inTransaction(database, "write", () => tidier.step()));
    const vectors = vectorTable(database, writer, 0);
    const [model] = vectors.status().models;
    const firstOf = new Map(
      database
        .prepare("SELECT id, CAST(name AS INTEGER) AS first FROM documents")
        .all()
        .map((row) => [row["id"] as string, row["first"] as number]),
    );
    const asked = await ask(data, (query) =>
      inTransaction(database, "read", () => vectors.search("m", query, null, limit)).map(
        ({ chunk }) => firstOf.get(chunk.documentId)! + chunk.ordinal,
      ),
    );
    const memory = vectors.residentBytes() / data.vectors.length;
    return { ...asked, memory, perSecond: 0, disk: null, candidates: model!.candidates!, told: model!.recall! };
  } finally {
    database.close();
  }
}

async function measureSqliteVec(data: Data, folder: string): Promise<Measured> {
  const path = join(folder, "peer.sqlite");
  const database = new DatabaseSync(path, { allowExtension: true });
  try {
    loadSqliteVec(database);
    database.exec("PRAGMA journal_mode = wal; PRAGMA cache_size = -32000;");
    database.exec(`CREATE VIRTUAL TABLE peer USING vec0(embedding float[${dimensions}])`);
    const insert = database.prepare("INSERT INTO peer (rowid, embedding) VALUES (?, ?)");
    const start = performance.now();
    for (let from = 0; from < data.vectors.length; from += 512) {
      database.exec("BEGIN");
      for (let i = from; i < Math.min(from + 512, data.vectors.length); i++)
        insert.run(BigInt(i + 1), new Uint8Array(data.vectors[i]!.buffer));
      database.exec("COMMIT");
    }
    const ms = performance.now() - start;
    const select = database.prepare("SELECT rowid FROM peer WHERE embedding MATCH ? AND k = ? ORDER BY distance");
    const asked = await ask(data, (query) =>
      select.all(new Uint8Array(query.buffer), limit).map((row) => Number(row["rowid"]) - 1),
    );
    const disk = statSync(path).size / data.vectors.length;
    return { ...asked, perSecond: (1000 * data.vectors.length) / ms, memory: null, disk };
  } finally {
    database.close();
  }
}

/** What is used of LanceDB. It is fetched for the benchmark alone, as it takes 193 MB. */
interface Lance {
  connect(path: string): Promise<{ createTable(name: string, rows: object[]): Promise<LanceTable> }>;
}
interface LanceTable {
  add(rows: object[]): Promise<unknown>;
  search(query: number[] | Float32Array): {
    distanceType(type: string): { limit(count: number): { toArray(): Promise<{ id: number }[]> } };
  };
}

/** Null where it cannot be had; the reason goes to stderr. */
async function measureLance(data: Data, folder: string): Promise<Measured | null> {
  progress(`Fetching ${lancedb} …`);
  const npm = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, lancedb], {
    encoding: "utf8",
    timeout: 300_000,
  });
  if (npm.status !== 0) {
    progress(`LanceDB is left out: npm could not fetch it (${npm.stderr.split("\n").find(Boolean) ?? npm.error})`);
    return null;
  }
  const lance = createRequire(join(folder, "package.json"))("@lancedb/lancedb") as Lance;
  const connection = await lance.connect(join(folder, "lance"));
  const rowsOf = (from: number) =>
    data.vectors.slice(from, from + 5000).map((vector, i) => ({ id: from + i, vector: [...vector] }));
  const start = performance.now();
  const table = await connection.createTable("peer", rowsOf(0));
  for (let from = 5000; from < data.vectors.length; from += 5000) await table.add(rowsOf(from));
  const ms = performance.now() - start;
  const asked = await ask(data, async (query) =>
    (await table.search(query).distanceType("cosine").limit(limit).toArray()).map(({ id }) => id),
  );
  return { ...asked, perSecond: (1000 * data.vectors.length) / ms, memory: null, disk: null };
}

function row(engine: string, { times, recall, perSecond, memory, disk }: Measured, baseline: number): Table[number] {
  const p50 = percentile(times, 0.5);
  return {
    engine,
    "p50 ms": round(p50),
    "p95 ms": round(percentile(times, 0.95)),
    "times Corral's p50": round(p50 / baseline, 1),
    "recall@10": round(recall, 4),
    "bytes in memory": memory === null ? "-" : round(memory, 0),
    "bytes on disk": disk === null ? "-" : round(disk, 0),
    "vectors/s stored": perSecond === 0 ? "-" : round(perSecond, 0),
  };
}

/** `npm run bench -- vectors [CHUNKS] [--queries 100] [--no-lance]` */
export async function run(parameters: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    allowNegative: true,
    options: { queries: { type: "string", default: "100" }, lance: { type: "boolean", default: true } },
  });
  const count = Number(positionals[0] ?? "100000");
  const folder = mkdtempSync(join(tmpdir(), "corral-bench-vectors-"));
  try {
    progress(`Making ${count} vectors of ${dimensions} dimensions …`);
    const data = makeData(count, Number(values.queries));
    progress("Corral …");
    const corral = await measureStore(data, folder);
    const bits = await measureBits(data, folder);
    progress("sqlite-vec …");
    const sqliteVec = await measureSqliteVec(data, folder);
    const lance = values.lance ? await measureLance(data, folder) : null;
    const p50 = (measured: Measured) => percentile(measured.times, 0.5);
    const baseline = p50(corral);
    const table = [
      row("Corral, int8 (whole call, with texts)", corral, baseline),
      row(`Corral, bits, ${bits.candidates} candidates (on one thread)`, bits, baseline),
      row("sqlite-vec 0.1.9, float (row ids only)", sqliteVec, baseline),
      ...(lance ? [row(`LanceDB ${lancedb.split("@").at(-1)!}, flat (row ids and vectors)`, lance, baseline)] : []),
    ];
    progress(`Recall of bits: ${round(bits.recall, 4)} here, ${round(bits.told, 4)} as measured after indexing`);
    report(
      "vectors",
      { [`Vector search over ${count} chunks, ${dimensions} dimensions`]: table },
      {
        [`${goals.sqliteVec} times as fast as sqlite-vec float (p50)`]: p50(sqliteVec) / baseline >= goals.sqliteVec,
        ...(lance && {
          [`${goals.lancedb} times as fast as LanceDB flat (p50)`]: p50(lance) / baseline >= goals.lancedb,
        }),
        [`recall@10 at least ${goals.recall}`]: corral.recall >= goals.recall,
        [`recall@10 of bits at least ${goals.bitsRecall}`]: bits.recall >= goals.bitsRecall,
        "at most 800 bytes a chunk in memory": corral.memory! <= 800,
        "at most 100 bytes a chunk in memory by bits": bits.memory! <= 100,
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
