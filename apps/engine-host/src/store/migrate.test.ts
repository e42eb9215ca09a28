import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inTransaction, openDatabase, withStorageErrors } from "./database.ts";
import { migrate, migrations, schemaVersion, supportedSchema, type Migration } from "./migrate.ts";
import { openStore } from "./open-store.ts";

let directory: string;
let database: DatabaseSync;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "corral-migrate-"));
  database = openDatabase(directory, "write");
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const tableNames = () =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name }) => name as string);

describe("migrations", () => {
  test("are numbered without gaps and named as their files", () => {
    const files = readdirSync(join(import.meta.dirname, "migrations")).sort();
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, i) => i + 1));
    expect(migrations.map(({ version, name }) => `${String(version).padStart(4, "0")}-${name}.ts`)).toEqual(files);
  });

  test("0001 makes all tables of the first schema from an empty database, and keeps no copy of nothing", () => {
    migrate(database, directory, migrations.slice(0, 1));
    expect(schemaVersion(database)).toBe(1);
    expect(tableNames().filter((name) => !/^(sqlite|chunk_search)_/.test(name))).toEqual([
      "chunk_search",
      "chunk_terms",
      "chunks",
      "collections",
      "conversations",
      "documents",
      "index_totals",
      "messages",
      "model_files",
      "pages",
      "settings",
      "term_frequencies",
    ]);
    expect(existsSync(join(directory, "backups"))).toBe(false);
  });

  test("0002 adds the measurements of loads to a database of the first schema and keeps what it holds", () => {
    migrate(database, directory, migrations.slice(0, 1));
    database.exec("INSERT INTO settings VALUES ('kept', 'yes')");
    const before = tableNames();
    migrate(database, directory, migrations.slice(0, 2));
    expect(schemaVersion(database)).toBe(2);
    expect(tableNames().filter((name) => !before.includes(name))).toEqual(["fit_measurements"]);
    expect(database.prepare("SELECT value FROM settings WHERE key = 'kept'").get()).toEqual({ value: "yes" });
    expect(readdirSync(join(directory, "backups"))).toHaveLength(1);
  });
});

describe("0003", () => {
  test("an index of FTS5 becomes postings when the store opens, and the documents are found as before", async () => {
    migrate(database, directory, migrations.slice(0, 2));
    database.exec(`
      INSERT INTO settings VALUES ('index.analyzer', 'terms-1/icu-78.3');
      INSERT INTO collections (id, name, folded_name, created_at) VALUES ('c', 'c', 'c', '');
      INSERT INTO documents (id, collection_key, name, format, path, owned, sha256, bytes, state, paged, chunk_count,
        language, added_at) VALUES ('d', 1, 'pump.txt', 'text', '/pump.txt', 0, '', 1, 'ready', 0, 2, 'en', '');
      INSERT INTO chunks (document_key, ordinal, heading_path, text, spans, token_estimate)
        VALUES (1, 0, '[]', 'The valves are closed.', '[]', 5), (1, 1, '["Oil"]', 'It is changed yearly.', '[]', 5);
      INSERT INTO chunk_terms VALUES (1, 5, 'pump the valv are close'), (2, 6, 'pump oil it is chang yearli');
      INSERT INTO chunk_search (rowid, terms, scope) SELECT chunk_key, terms, 'c1 d1' FROM chunk_terms;
      INSERT INTO term_frequencies VALUES ('pump', 2), ('valv', 1);
      UPDATE index_totals SET chunks = 2, terms = 11;
    `);
    const lines: string[] = [];
    await using store = await openStore(directory, (line) => lines.push(line));
    expect(lines[0]).toContain("was made by terms-1/icu-78.3; making it anew");
    expect(lines).toContain("Search index: 2 of 2 passages.");
    expect(await store.check()).toMatchObject({ schema: supportedSchema, integrity: "ok" });
    const found = async (query: string) =>
      (await store.index.search(query, null, 9)).map(({ chunk }) => `${chunk.documentId} ${chunk.ordinal}`);
    expect(await found("valve")).toEqual(["d 0"]);
    expect(await found("oil changes")).toEqual(["d 1"]);
    expect(await found("pumps")).toHaveLength(2);
  });
});

describe("migrate", () => {
  const next: Migration = {
    version: supportedSchema + 1,
    name: "next",
    up: (db) => db.exec("CREATE TABLE next (x); INSERT INTO next VALUES (1)"),
  };

  test("keeps a copy of what was there, then takes each step once", () => {
    migrate(database, directory);
    database.exec("INSERT INTO settings VALUES ('kept', 'yes')");
    migrate(database, directory, [...migrations, next]);
    migrate(database, directory, [...migrations, next]);
    expect(schemaVersion(database)).toBe(supportedSchema + 1);
    expect(database.prepare("SELECT count(*) AS n FROM next").get()).toEqual({ n: 1 });

    const [copy, ...more] = readdirSync(join(directory, "backups"));
    expect(more).toEqual([]);
    const before = new DatabaseSync(join(directory, "backups", copy!), { readOnly: true });
    expect(schemaVersion(before)).toBe(supportedSchema);
    expect(before.prepare("SELECT value FROM settings WHERE key = 'kept'").get()).toEqual({ value: "yes" });
    before.close();
  });

  test("a step that fails leaves the schema before it", () => {
    migrate(database, directory);
    const broken: Migration = {
      ...next,
      up(db) {
        next.up(db);
        db.exec("INSERT INTO nowhere VALUES (1)");
      },
    };
    expect(() => migrate(database, directory, [...migrations, broken])).toThrow("nowhere");
    expect(schemaVersion(database)).toBe(supportedSchema);
    expect(tableNames()).not.toContain("next");
  });
});

describe("a connection", () => {
  test("for reading changes nothing", () => {
    migrate(database, directory);
    const reader = openDatabase(directory, "read");
    expect(() => reader.exec("DELETE FROM settings")).toThrow("readonly");
    reader.close();
  });

  test("that meets a full disk says so and undoes the transaction", () => {
    migrate(database, directory);
    const { page_count: pages } = database.prepare("PRAGMA page_count").get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const fill = () =>
      withStorageErrors(directory, () =>
        inTransaction(database, "write", () =>
          database.prepare("INSERT INTO settings VALUES ('big', ?)").run("x".repeat(100_000)),
        ),
      );
    expect(fill).toThrow(expect.objectContaining({ code: "DISK_FULL", data: { directory } }));
    expect(database.isTransaction).toBe(false);
    expect(database.prepare("SELECT count(*) AS n FROM settings").get()).toEqual({ n: 0 });
  });
});
