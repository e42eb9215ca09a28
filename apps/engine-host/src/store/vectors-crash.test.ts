import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { checkDatabase } from "./check.ts";
import { openDatabase, row } from "./database.ts";
import { openStore } from "./open-store.ts";

const TRIALS = 15;

/** Runs the writer until some documents are embedded and a random moment more, then kills it without warning. */
async function killedWriter(directory: string, run: number): Promise<string[]> {
  const program = join(import.meta.dirname, "vectors-crash.test-writer.ts");
  const child = spawn(process.execPath, [program, directory, `${run}`], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout))
    if (lines.push(line) === 1 + (run % 5)) setTimeout(() => child.kill("SIGKILL"), Math.random() * 120);
  await closed;
  return lines;
}

test(
  "kill -9 at any moment: what was embedded stays so, every vector has its chunk, and embedding goes on to the end",
  { timeout: 300_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "corral-vectors-crash-"));
    try {
      const acknowledged = new Set<string>();
      for (let run = 0; run < TRIALS; run++) {
        for (const line of await killedWriter(directory, run)) {
          if (line.startsWith("-")) acknowledged.delete(line.slice(1));
          else acknowledged.add(line);
        }
        const database = openDatabase(directory, "read");
        try {
          expect(checkDatabase(database).integrity).toBe("ok");
          const lacking = database.prepare(
            `SELECT count(*) AS chunks FROM chunks JOIN documents ON documents.key = document_key
             WHERE documents.id IN (SELECT value FROM json_each(?))
             AND NOT EXISTS (SELECT 1 FROM vectors WHERE chunk_key = chunks.key)`,
          );
          expect(row(lacking, JSON.stringify([...acknowledged]))).toEqual({ chunks: 0 });
        } finally {
          database.close();
        }
      }
      expect(acknowledged.size).toBeGreaterThan(5);
      await using store = await openStore(directory, () => {});
      for (let missing; (missing = await store.vectors.missing("m", 0, 500)).length > 0;) {
        const vector = Float32Array.from({ length: 24 }, (_, i) => (i === 0 ? 1 : 0));
        await store.vectors.add(
          "m",
          missing.map(({ key }) => ({ key, vector })),
        );
      }
      const { chunks, models } = await store.vectors.status();
      const [model] = models;
      expect(model!.vectors).toBe(chunks);
      expect(model!.vectors).toBeGreaterThan(8192);
      expect((await store.check()).integrity).toBe("ok");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

test("searches see whole states while a writer adds and removes", { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "corral-vectors-reader-"));
  try {
    await using store = await openStore(directory, () => {});
    const { id: collectionId } = await store.collections.create("c");
    const query = Float32Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
    let isWriting = true;
    let searches = 0;
    const reading = (async () => {
      while (isWriting) {
        const hits = await store.vectors.search("m", query, null, 50);
        searches++;
        // Each document is embedded in one call and removed in one, so it is found with all its chunks or with none.
        const found = Map.groupBy(hits, ({ chunk }) => chunk.documentId);
        for (const chunks of found.values()) expect(chunks).toHaveLength(5);
        expect(hits.every(({ chunk }) => chunk.text.startsWith("text"))).toBe(true);
      }
    })();
    const alive: string[] = [];
    for (let i = 0; i < 120; i++) {
      const file = { path: `${i}`, owned: false, sha256: `${i}`, bytes: 1 };
      const { id } = await store.documents.create({ collectionId, name: `${i}`, format: "text", file });
      const chunks = Array.from({ length: 5 }, (_, j) => ({
        text: `text ${i} ${j}`,
        headingPath: [],
        spans: [],
        tokenEstimate: 3,
      }));
      await store.documents.saveContent(id, { title: null, language: null, paged: false, pages: [], chunks });
      const missing = await store.vectors.missing("m", 0, 100);
      await store.vectors.add(
        "m",
        missing.map(({ key }) => ({ key, vector: query })),
      );
      alive.push(id);
      // Never more than the search is asked for.
      if (alive.length === 10) await store.documents.remove(alive.shift()!);
    }
    isWriting = false;
    await reading;
    expect(searches).toBeGreaterThan(10);
    expect(await store.vectors.status()).toMatchObject({ chunks: 45, models: [{ vectors: 45 }] });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
