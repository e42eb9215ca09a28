import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { checkDatabase } from "../apps/engine-host/src/store/check.ts";
import { openDatabase } from "../apps/engine-host/src/store/database.ts";
import { progress, report, type Table } from "./report.ts";
import { serveHost } from "./served-host.ts";
import { SyntheticText } from "./synthetic-text.ts";

const filesPerTrial = 24;
/** The host is killed at a random moment up to so long after the files were named, ms. */
const killedWithinMs = 3000;

/** What a host said before it was killed. */
interface Said {
  added: Set<string>;
  ready: Map<string, { chunks: number }>;
}

/** Small and larger files, so that some are being read, some stored and some merged when the host dies. */
function writeFiles(folder: string, trial: number, text: SyntheticText): void {
  mkdirSync(folder);
  for (let number = 0; number < filesPerTrial; number++) {
    const paragraphs = Array.from({ length: 1 + text.whole(30) }, () => text.chunk(text.topic()).join(" "));
    writeFileSync(join(folder, `trial-${trial}-${number}.txt`), paragraphs.join("\n\n"));
  }
}

/** Starts a host on the data directory, adds the files and kills it at a random moment. */
async function killedHost(dataDirectory: string, folder: string, afterMs: number): Promise<Said> {
  const said: Said = { added: new Set(), ready: new Map() };
  await using host = await serveHost(dataDirectory);
  await using session = await host.connect();
  const { client } = session;
  const gone = new AbortController();
  const { signal } = gone;
  const listen = async () => {
    for await (const event of await client.library.watch(undefined, { signal })) {
      const changed = event.type === "snapshot" ? event.documents : event.type === "document" ? [event.document] : [];
      for (const { id, state, chunkCount } of changed) {
        said.added.add(id);
        if (state === "ready") said.ready.set(id, { chunks: chunkCount ?? 0 });
      }
    }
  };
  const add = async () => {
    const name = "Trials";
    const collections = await client.library.collections(undefined, { signal });
    const { id: collectionId } =
      collections.find((each) => each.name === name) ?? (await client.library.createCollection({ name }, { signal }));
    const results = await client.library.addPaths({ collectionId, paths: [folder] }, { signal });
    for (const { document } of results) if (document) said.added.add(document.id);
  };
  // Both end with an error when the host is gone; a call on a dead link may not notice by itself.
  const talking = Promise.allSettled([listen(), add()]);
  await delay(afterMs);
  await host.kill();
  gone.abort();
  await talking;
  return said;
}

/** What is wrong with the database after a crash. */
function damage(dataDirectory: string, said: Said): { lost: number; corrupt: string | null } {
  const database = openDatabase(dataDirectory, "read");
  try {
    const { integrity } = checkDatabase(database);
    const find = database.prepare(
      `SELECT state, chunk_count AS chunkCount, (SELECT count(*) FROM chunks WHERE document_key = documents.key) AS chunks
       FROM documents WHERE id = ?`,
    );
    let lost = 0;
    for (const id of said.added) {
      const found = find.get(id) as { state: string; chunkCount: number | null; chunks: number } | undefined;
      const ready = said.ready.get(id);
      const isWhole = found && (!ready || (found.state === "ready" && found.chunks === ready.chunks));
      const isHalf = found && found.state === "ready" && found.chunkCount !== found.chunks;
      if (!isWhole || isHalf) lost++;
    }
    return { lost, corrupt: integrity === "ok" ? null : integrity };
  } finally {
    database.close();
  }
}

/**
 * `npm run bench -- crash [TRIALS]`: kills the host again and again while it reads and indexes, and counts acknowledged
 * documents that are lost or half there, and databases whose rows, postings and vectors do not agree. Every trial goes on
 * with what the ones before left; at the end all that was added has to become findable.
 */
export async function run([trials = "200"]: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "corral-bench-crash-"));
  const data = join(folder, "data");
  const text = new SyntheticText(97_531);
  const all: Said = { added: new Set(), ready: new Map() };
  let lost = 0;
  const problems: string[] = [];
  try {
    for (let trial = 0; trial < Number(trials); trial++) {
      const files = join(folder, `files-${trial}`);
      writeFiles(files, trial, text);
      const said = await killedHost(data, files, text.whole(killedWithinMs));
      for (const id of said.added) all.added.add(id);
      for (const [id, ready] of said.ready) all.ready.set(id, ready);
      const found = damage(data, all);
      lost += found.lost;
      if (found.corrupt) problems.push(`trial ${trial}: ${found.corrupt}`);
      if (trial % 10 === 9)
        progress(`  ${trial + 1} trials, ${all.added.size} documents, ${all.ready.size} were ready`);
    }
    const unfinished = await finish(data);
    const end = damage(data, all);
    const table: Table = [
      {
        trials: Number(trials),
        "documents acknowledged": all.added.size,
        "of them said to be ready": all.ready.size,
        "lost or half there": lost + end.lost,
        "databases that do not agree": problems.length + (end.corrupt ? 1 : 0),
        "never finished": unfinished,
      },
    ];
    for (const problem of problems) progress(problem);
    report(
      "crash",
      { "kill -9 while documents are read and indexed": table },
      {
        "no acknowledged document is lost": lost + end.lost === 0,
        "rows, postings and vectors agree after each crash": problems.length === 0 && !end.corrupt,
        "what was left unfinished is finished by the next start": unfinished === 0,
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts the host once more and waits until nothing is left to read. @returns how many documents failed */
async function finish(dataDirectory: string): Promise<number> {
  await using host = await serveHost(dataDirectory);
  await using session = await host.connect();
  for (;;) {
    const documents = await session.client.library.documents({});
    const open = documents.filter(({ state }) => state === "queued" || state === "reading" || state === "indexing");
    if (open.length === 0) return documents.filter(({ state }) => state !== "ready").length;
    await delay(500);
  }
}
