import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { databasePath } from "./database.ts";
import { supportedSchema } from "./migrate.ts";
import { openStore } from "./open-store.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "corral-store-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("openStore", () => {
  test("creates the database with every pragma in force and finds it sound", async () => {
    await using store = await openStore(join(directory, "new", "place"));
    expect(await store.check()).toEqual({
      schema: supportedSchema,
      sqliteVersion: expect.stringMatching(/^3\.\d+\.\d+$/),
      integrity: "ok",
      pragmas: {
        journal_mode: "wal",
        synchronous: 2,
        foreign_keys: 1,
        trusted_schema: 0,
        busy_timeout: 10_000,
        mmap_size: 0,
        secure_delete: 2,
      },
    });
  });

  test("keeps what was written when it is opened again, and lets a read see the write before it", async () => {
    {
      await using store = await openStore(directory);
      await store.settings.set("a", "1");
      await store.settings.set("a", "2");
      expect(await store.settings.get("a")).toBe("2");
      expect(await store.settings.get("b")).toBeNull();
    }
    await using again = await openStore(directory);
    expect(await again.settings.get("a")).toBe("2");
  });

  test("a call after closing is refused, a call before it is answered", async () => {
    const store = await openStore(directory);
    const before = store.settings.set("a", "1");
    const closed = store[Symbol.asyncDispose]();
    await expect(before).resolves.toBeUndefined();
    await closed;
    await expect(store.settings.get("a")).rejects.toThrow("closed");
  });

  test("leaves a database of a newer Corral untouched", async () => {
    const newer = new DatabaseSync(databasePath(directory));
    newer.exec(`CREATE TABLE future (x); PRAGMA user_version = ${supportedSchema + 1}`);
    newer.close();
    await expect(openStore(directory)).rejects.toMatchObject({
      code: "DATA_DIRECTORY_NEWER",
      data: { directory, schema: supportedSchema + 1, supported: supportedSchema },
    });
    const after = new DatabaseSync(databasePath(directory));
    expect(after.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "future" }]);
    expect(after.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
    after.close();
  });

  test("says when the directory cannot be made, and when the database is damaged", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "x");
    await expect(openStore(join(file, "data"))).rejects.toMatchObject({
      code: "DATA_DIRECTORY_NOT_WRITABLE",
      data: { directory: join(file, "data") },
    });
    writeFileSync(
      databasePath(directory),
      "not a database, but long enough to look at it as if it were one".repeat(99),
    );
    await expect(openStore(directory)).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      data: { file: databasePath(directory) },
    });
  });

  test("makes the index anew when another analyzer made it, and only then", async () => {
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    {
      await using store = await openStore(directory, log);
      const { id: collectionId } = await store.collections.create("c");
      const file = { path: "/a", owned: false, sha256: "a", bytes: 1 };
      const { id } = await store.documents.create({ collectionId, name: "a", format: "text", file });
      const chunk = { text: "The pumps are maintained.", headingPath: [], spans: [], tokenEstimate: 5 };
      await store.documents.saveContent(id, { title: null, language: "en", paged: false, pages: [], chunks: [chunk] });
    }
    const database = new DatabaseSync(databasePath(directory));
    database.exec(`
      UPDATE settings SET value = 'terms-0/icu-1' WHERE key = 'index.analyzer';
      DELETE FROM postings`);
    database.close();
    expect(lines).toEqual([]);
    {
      await using store = await openStore(directory, log);
      expect(await store.index.search("maintaining a pump", null, 10)).toHaveLength(1);
      expect(await store.settings.get("index.analyzer")).toMatch(/^terms-[1-9]\d*\/postings-[1-9]\d*\/icu-/);
    }
    expect(lines).toEqual([expect.stringContaining("terms-0/icu-1"), "Search index: 1 of 1 passages."]);
    await using again = await openStore(directory, log);
    expect(lines).toHaveLength(2);
    expect((await again.check()).integrity).toBe("ok");
  });

  test("calls that wait together are each answered for themselves, and what fails undoes only itself", async () => {
    await using store = await openStore(directory);
    const { id: collectionId } = await store.collections.create("c");
    const entry = (name: string, to = collectionId) => ({
      collectionId: to,
      name,
      format: "text" as const,
      file: { path: `/${name}`, owned: false, sha256: name, bytes: 1 },
    });
    const created = await Promise.all(["a", "b", "d"].map((name) => store.documents.create(entry(name))));
    const content = (text: string) => ({
      title: null,
      language: "en",
      paged: false,
      pages: [],
      chunks: [{ text, headingPath: [], spans: [], tokenEstimate: 5 }],
    });
    const outcomes = await Promise.allSettled([
      store.documents.saveContent(created[0]!.id, content("pelicans")),
      store.documents.saveContent("gone", content("pelicans")),
      store.documents.create(entry("e", "nowhere")),
      store.documents.saveContent(created[1]!.id, content("pelicans")),
      // Replaced, while what it replaces is not in the index yet.
      store.documents.saveContent(created[1]!.id, content("walruses")),
      store.documents.saveContent(created[2]!.id, content("pelicans")),
      store.documents.remove(created[2]!.id),
      store.collections.create("C"),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? "done" : outcome.reason.code))).toEqual([
      "done",
      "DOCUMENT_NOT_FOUND",
      "COLLECTION_NOT_FOUND",
      ...["done", "done", "done", "done"],
      "COLLECTION_EXISTS",
    ]);
    const found = async (query: string) =>
      (await store.index.search(query, null, 10)).map(({ chunk }) => chunk.document);
    expect(await found("pelicans")).toEqual(["a"]);
    expect(await found("walruses")).toEqual(["b"]);
    expect((await store.documents.list()).map(({ name, state }) => [name, state])).toEqual([
      ["a", "ready"],
      ["b", "ready"],
    ]);
    expect((await store.check()).integrity).toBe("ok");
  });

  test("an expected error crosses the threads with its code and data, a bug with its message", async () => {
    await using store = await openStore(directory);
    await store.collections.create("Straße");
    await expect(store.collections.create(" STRASSE ".replace("SS", "ß"))).rejects.toMatchObject({
      name: "CorralError",
      code: "COLLECTION_EXISTS",
    });
    await expect(store.settings.set("a", undefined as never)).rejects.toThrow(/bound|NULL/);
  });
});
