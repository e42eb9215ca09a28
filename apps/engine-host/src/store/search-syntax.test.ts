import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { DocumentFormat } from "@corral/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { collectionTable } from "./collections.ts";
import { openDatabase } from "./database.ts";
import { documentTable } from "./documents.ts";
import { indexWriter } from "./index-writer.ts";
import { migrate } from "./migrate.ts";
import { searchIndex } from "./search-index.ts";

let directory: string;
let database: DatabaseSync;
let collections: ReturnType<typeof collectionTable>;
let documents: ReturnType<typeof documentTable>;
let index: ReturnType<typeof searchIndex>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "corral-syntax-"));
  database = openDatabase(directory, "write");
  migrate(database, directory);
  const writer = indexWriter(database);
  collections = collectionTable(database, writer);
  documents = documentTable(database, writer);
  index = searchIndex(database);
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Added {
  name: string;
  texts: string[];
  format?: DocumentFormat;
  language?: string;
  addedAt?: string;
}

function add(collectionId: string, { name, texts, format = "text", language = "en", addedAt }: Added): void {
  const file = { path: `/${name}`, owned: false, sha256: name, bytes: 1 };
  const { id } = documents.create({ collectionId, name, format, file });
  const chunks = texts.map((text) => ({ text, headingPath: [], spans: [], tokenEstimate: 5 }));
  documents.saveContent(id, { title: null, language, paged: false, pages: [], chunks });
  if (addedAt) database.prepare("UPDATE documents SET added_at = ? WHERE id = ?").run(addedAt, id);
}

/** What is found, by the names of the documents, in the order of the alphabet. */
const names = (query: string) =>
  index
    .search(query, null, 10, { syntax: true })
    .map(({ chunk }) => chunk.document)
    .sort();

test("a phrase is found as it stands, also over line breaks, without regard to case or accents", () => {
  const { id } = collections.create("c");
  add(id, { name: "a.txt", texts: ["The winter gate closes at five."] });
  add(id, { name: "b.txt", texts: ["The gate in winter closes at six. Winter\nGate, again."] });
  add(id, { name: "c.txt", texts: ["In winters the gates are closed; winter gates too."] });
  expect(names("winter gate")).toEqual(["a.txt", "b.txt", "c.txt"]);
  expect(names('"winter gate"')).toEqual(["a.txt", "b.txt"]);
  expect(names('closes "WINTER GATE"')).toEqual(["a.txt", "b.txt"]);
  expect(names('"gate winter"')).toEqual([]);
  expect(names('"winter gates"')).toEqual(["c.txt"]);
  expect(names('"winter gate" "at six"')).toEqual(["b.txt"]);
  expect(names('"winter gate')).toEqual(["a.txt", "b.txt", "c.txt"]);
  // Without the syntax, as in a chat, quotes are only quotes.
  expect(index.search('"winter gate" -six', null, 10)).toHaveLength(3);
});

test.each([
  ["en", "The red door opens.", '"red door"', '"door red"'],
  ["de", "Die große Tür öffnet sich.", '"grosse Tür"', '"Tür große"'],
  ["fr", "L'été dernier fut chaud.", '"l’été dernier"', '"dernier été"'],
  ["it", "La città più bella.", '"citta piu"', '"più città"'],
  ["pt", "As ações subiram ontem.", '"as ações subiram"', '"subiram as"'],
  ["es", "El año pasado llovió.", '"año pasado"', '"pasado año"'],
  ["hi", "घर की चाबी मेज़ पर है।", '"घर की चाबी"', '"चाबी घर"'],
  ["th", "ทีมรับของแพนเธอร์สถอดใจที่คะแนน", '"แพนเธอร์สถอดใจ"', '"ถอดใจแพนเธอร์ส"'],
])("phrases work in each language: %s", (language, text, phrase, reversed) => {
  const { id } = collections.create("c");
  add(id, { name: "a", texts: [text], language });
  expect(names(phrase)).toEqual(["a"]);
  expect(names(reversed)).toEqual([]);
  expect(names(`${phrase.slice(1, -1)} -${reversed}`)).toEqual(["a"]);
  expect(names(`${phrase.slice(1, -1)} -${phrase}`)).toEqual([]);
});

test("a rare phrase of common words is found among many that hold the words", () => {
  const { id } = collections.create("c");
  const texts = Array.from({ length: 400 }, (_, i) => `gate gate winter winter number ${i}`);
  add(id, { name: "many", texts });
  add(id, {
    name: "one",
    texts: ["a long text about something else that says winter gate once among many other words"],
  });
  expect(index.search('"winter gate"', null, 1, { syntax: true })[0]?.chunk.document).toBe("one");
  expect(names('gate -"number 7" -number')).toEqual(["one"]);
});

test("what is left out is not found, be it in the text or in the title", () => {
  const { id } = collections.create("c");
  add(id, { name: "draft-report.txt", texts: ["The gate is closed."] });
  add(id, { name: "report.txt", texts: ["The gate is open.", "The gate is closed, says the draft."] });
  expect(names("gate -draft")).toEqual(["report.txt"]);
  expect(names('gate -"is closed"')).toEqual(["report.txt"]);
  // Exactly this word: not other forms of it.
  expect(names("gate -drafts")).toHaveLength(3);
  expect(names("-draft")).toHaveLength(2);
});

test("fields choose documents by file, collection, type and day", () => {
  const manuals = collections.create("Pump manuals").id;
  const letters = collections.create("Letters").id;
  add(manuals, { name: "Annual Report.pdf", format: "pdf", texts: ["gate"], addedAt: "2026-01-15T12:00:00.000Z" });
  add(manuals, { name: "notes.md", format: "markdown", texts: ["gate"], addedAt: "2026-02-15T12:00:00.000Z" });
  add(letters, { name: "mail.eml", format: "mail", texts: ["gate"], addedAt: "2026-03-15T12:00:00.000Z" });
  expect(names("gate file:report")).toEqual(["Annual Report.pdf"]);
  expect(names('gate file:"annual report"')).toEqual(["Annual Report.pdf"]);
  expect(names("gate -file:notes -file:mail")).toEqual(["Annual Report.pdf"]);
  expect(names("gate collection:manuals")).toEqual(["Annual Report.pdf", "notes.md"]);
  expect(names("gate type:pdf type:md")).toEqual(["Annual Report.pdf", "notes.md"]);
  expect(names("gate type:md collection:letters")).toEqual([]);
  expect(names("gate date:2026-02")).toEqual(["notes.md"]);
  expect(names("gate date:2026-02..2026-03")).toEqual(["mail.eml", "notes.md"]);
  expect(names("gate date:>2026-02-15")).toEqual(["mail.eml"]);
  expect(names("gate date:<2026-02-15")).toEqual(["Annual Report.pdf"]);
  expect(names("type:mail")).toEqual(["mail.eml"]);
  expect(names("date:2025")).toEqual([]);
});
