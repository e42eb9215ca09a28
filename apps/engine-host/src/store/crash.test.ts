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

const TRIALS = 20;

/** Runs the writer until some documents are acknowledged and a random moment more, then kills it without warning. */
async function killedWriter(directory: string, run: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "crash.test-writer.ts"), directory, `${run}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const acknowledged: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    acknowledged.push(line);
    if (acknowledged.length === 1 + (run % 4)) setTimeout(() => child.kill("SIGKILL"), Math.random() * 25);
  }
  await closed;
  return acknowledged;
}

test(
  "kill -9 at any moment loses no acknowledged document and leaves none half there",
  { timeout: 300_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "corral-crash-"));
    try {
      const acknowledged: string[] = [];
      for (let run = 0; run < TRIALS; run++) {
        acknowledged.push(...(await killedWriter(directory, run)));
        const database = openDatabase(directory, "read");
        try {
          // Whole means: 12 pages and 12 chunks, all in the index; queued means none of them.
          const { half } = row<{ half: number }>(
            database.prepare(
              `SELECT count(*) AS half FROM documents WHERE
               (SELECT count(*) FROM pages WHERE document_key = documents.key) != iif(state = 'ready', 12, 0)
               OR (SELECT count(*) FROM chunks WHERE document_key = documents.key) != iif(state = 'ready', 12, 0)`,
            ),
          )!;
          expect(half).toBe(0);
          // Chunks, postings and totals agree, whatever merge was cut short.
          expect(checkDatabase(database).integrity).toBe("ok");
        } finally {
          database.close();
        }
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(TRIALS);
      await using store = await openStore(directory);
      expect((await store.check()).integrity).toBe("ok");
      const ready = (await store.documents.list()).filter(({ state }) => state === "ready").map(({ id }) => id);
      expect(ready).toEqual(expect.arrayContaining(acknowledged));
      const newest = (await store.documents.get(acknowledged.at(-1)!))!;
      const [hit] = await store.index.search(
        `${newest.name} part7`,
        { collectionIds: [], documentIds: [newest.id] },
        1,
      );
      expect(hit?.chunk.ordinal).toBe(7);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
