import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import type { TransferEvent } from "@corral/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { CollectionFileWriter, MAGIC, type RecordHeader } from "./collection-file.ts";
import { createLibrary } from "./create-library.ts";
import type { Library } from "./library.ts";

let folder: string;
let here: Machine;
let there: Machine;

interface Machine extends AsyncDisposable {
  store: Store;
  library: Library;
  files(): string[];
}

async function machine(name: string): Promise<Machine> {
  const dataDirectory = join(folder, name);
  mkdirSync(dataDirectory);
  const store = await openStore(dataDirectory, () => {});
  const library = await createLibrary({ store, dataDirectory, freeBytes: () => Promise.resolve(2 ** 50) });
  return {
    store,
    library,
    files: () => readdirSync(join(dataDirectory, "files")),
    async [Symbol.asyncDispose]() {
      await library[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "corral-transfer-"));
  here = await machine("here");
  there = await machine("there");
});
afterEach(async () => {
  await here[Symbol.asyncDispose]();
  await there[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const signal = new AbortController().signal;

async function all(events: AsyncIterable<TransferEvent>): Promise<Extract<TransferEvent, { type: "done" }>> {
  let last: TransferEvent | undefined;
  for await (const event of events) {
    if (event.type === "progress") expect(event.done).toBeLessThanOrEqual(event.total);
    last = event;
  }
  if (last?.type !== "done") throw new Error("No result.");
  return last;
}

/** A collection with a file read in place and an upload, ready and with vectors. */
async function filled(): Promise<string> {
  const { id } = await here.library.createCollection("Harbour");
  const path = join(folder, "gates.txt");
  writeFileSync(path, `Gates\n\n${"The north gate closes at five in winter. ".repeat(60)}`);
  await here.library.addPaths(id, [path]);
  async function* upload() {
    yield Buffer.from("# Cranes\n\nThe red crane lifts forty tonnes.\n");
  }
  await here.library.addUpload(id, "cranes.md", upload(), signal);
  await expect
    .poll(async () => (await here.library.documents(id)).map(({ state }) => state), { timeout: 30_000 })
    .toEqual(["ready", "ready"]);
  const missing = await here.store.vectors.missing("model", 0, 100);
  const entries = missing.map(({ key }, i) => ({ key, vector: Float32Array.of(Math.cos(i), Math.sin(i), 0, 0) }));
  await here.store.vectors.add("model", entries);
  return id;
}

test(
  "a collection comes out of its file as it went in, with its originals and its vectors",
  { timeout: 60_000 },
  async () => {
    const id = await filled();
    const file = join(folder, "harbour.corral");
    const exported = await all(here.library.exportCollection(id, file, { originals: true, vectors: true }, signal));
    expect(exported).toMatchObject({ documents: 2, withoutOriginal: 0, bytes: statSync(file).size });
    expect(readdirSync(folder)).not.toContain("harbour.corral.part");

    const { collection, documents, withoutOriginal } = await all(there.library.importCollection(file, null, signal));
    expect({ name: collection.name, documents, withoutOriginal }).toEqual({
      name: "Harbour",
      documents: 2,
      withoutOriginal: 0,
    });
    const originals = await here.library.documents(id);
    const imported = await there.library.documents(collection.id);
    for (const [i, document] of imported.entries()) {
      const { id: newId, collectionId: _, addedAt: __, ...rest } = document;
      expect(originals[i]).toMatchObject(rest);
      expect(await there.store.documents.content(newId)).toEqual(await here.store.documents.content(originals[i]!.id));
      const kept = (await there.store.documents.file(newId))!;
      const source = (await here.store.documents.file(originals[i]!.id))!;
      expect(readFileSync(kept.path)).toEqual(readFileSync(source.path));
      expect(kept.owned).toBe(true);
      const [before] = await here.store.vectors.ofDocument(originals[i]!.id);
      const [after] = await there.store.vectors.ofDocument(newId);
      expect(after!.entries).toHaveLength(before!.entries.length);
      for (const [j, { ordinal, vector }] of after!.entries.entries()) {
        expect(ordinal).toBe(before!.entries[j]!.ordinal);
        for (let k = 0; k < 4; k++) expect(vector[k]).toBeCloseTo(before!.entries[j]!.vector[k]!, 3);
      }
    }
    expect((await there.store.index.search("crane", null, 5))[0]?.chunk.document).toBe("cranes.md");
    expect((await there.store.check()).integrity).toBe("ok");

    // A second time under another name; the name in the file is taken.
    await expect(all(there.library.importCollection(file, null, signal))).rejects.toMatchObject({
      code: "COLLECTION_EXISTS",
    });
    const again = await all(there.library.importCollection(file, "Harbour 2", signal));
    expect(again.collection.name).toBe("Harbour 2");
    expect(there.files()).toHaveLength(2);
    await there.library.removeCollection(again.collection.id);
    expect(there.files()).toHaveLength(2);
  },
);

test("an original that changed stays out, and its text goes all the same", { timeout: 60_000 }, async () => {
  const id = await filled();
  writeFileSync(join(folder, "gates.txt"), "Other content.");
  const file = join(folder, "harbour.corral");
  const exported = await all(here.library.exportCollection(id, file, { originals: true, vectors: false }, signal));
  expect(exported.withoutOriginal).toBe(1);
  const { collection, withoutOriginal } = await all(there.library.importCollection(file, null, signal));
  expect(withoutOriginal).toBe(1);
  const gates = (await there.library.documents(collection.id)).find(({ name }) => name === "gates.txt")!;
  expect((await there.library.page(gates.id, 1, [])).text).toContain("north gate");
  expect(await there.store.vectors.ofDocument(gates.id)).toEqual([]);
  await there.library.removeDocument(gates.id);
});

test("cancelling leaves no file and no collection", { timeout: 60_000 }, async () => {
  const id = await filled();
  const file = join(folder, "harbour.corral");
  const stop = new AbortController();
  const exporting = here.library.exportCollection(id, file, { originals: true, vectors: true }, stop.signal);
  await expect(
    (async () => {
      for await (const _ of exporting) stop.abort();
    })(),
  ).rejects.toMatchObject({ name: "AbortError" });
  expect(readdirSync(folder).filter((name) => name.includes("corral"))).toEqual([]);

  await all(here.library.exportCollection(id, file, { originals: true, vectors: true }, signal));
  const stopImport = new AbortController();
  const importing = there.library.importCollection(file, null, stopImport.signal);
  await expect(
    (async () => {
      for await (const { type } of importing)
        if (type === "progress" && (await there.library.collections()).length > 0) stopImport.abort();
    })(),
  ).rejects.toMatchObject({ name: "AbortError" });
  expect(await there.library.collections()).toEqual([]);
  expect(there.files()).toEqual([]);
});

describe("a file that is not what it should be is refused, and leaves nothing behind", () => {
  const document = {
    name: "a.txt",
    format: "text" as const,
    title: null,
    language: "en",
    paged: false,
    sha256: createHash("sha256").update("text").digest("hex"),
    bytes: 4,
    note: null,
    pages: 1,
    chunks: 1,
  };
  const page = { page: 1, text: "text", width: null, height: null, lines: [], label: null, tableRows: [] };
  const chunk = { text: "text", headingPath: [], spans: [{ page: 1, start: 0, end: 4 }], tokenEstimate: 1 };
  type Part = [Record<string, unknown>, Uint8Array?];
  const packed = (type: string, value: unknown): Part => {
    const content = deflateSync(JSON.stringify(value));
    return [{ type, bytes: content.length }, content];
  };
  const collection: Part = [{ type: "collection", bytes: 0, name: "C", documents: 1, exportedAt: "" }];
  const parts = (changes: object = {}): Part[] => [
    collection,
    [{ type: "document", bytes: 0, document: { ...document, ...changes } }],
  ];

  async function written(records: Part[]): Promise<string> {
    const path = join(folder, "made.corral");
    await using file = await open(path, "w");
    const writer = new CollectionFileWriter(file);
    await writer.begin();
    for (const [header, content] of records) await writer.record(header as RecordHeader, content ? [content] : []);
    await writer.end();
    return path;
  }

  async function refused(path: string): Promise<void> {
    await expect(all(there.library.importCollection(path, null, signal))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("made.corral"),
    });
    expect(await there.library.collections()).toEqual([]);
    expect(there.files()).toEqual([]);
  }

  test("while one that is whole is taken", async () => {
    const path = await written([...parts(), packed("pages", [page]), packed("chunks", [chunk])]);
    expect((await all(there.library.importCollection(path, null, signal))).documents).toBe(1);
  });

  const cases: [string, Part[]][] = [
    ["without a collection", []],
    ["two collections", [collection, ...parts()]],
    ["parts of no document", [collection, packed("pages", [page])]],
    ["a missing part", [...parts(), packed("pages", [page])]],
    ["more pages than it says", [...parts(), packed("pages", [page, { ...page, page: 2 }]), packed("chunks", [chunk])]],
    ["a page twice", [...parts({ pages: 2 }), packed("pages", [page, page]), packed("chunks", [chunk])]],
    ["more documents than it says", [...parts({ pages: 0, chunks: 0 }), parts({ pages: 0, chunks: 0 })[1]!]],
    [
      "a passage outside of its page",
      [...parts(), packed("pages", [page]), packed("chunks", [{ ...chunk, spans: [{ page: 1, start: 0, end: 5 }] }])],
    ],
    [
      "a passage on no page",
      [...parts(), packed("pages", [page]), packed("chunks", [{ ...chunk, spans: [{ page: 9, start: 0, end: 1 }] }])],
    ],
    [
      "a name that is another format",
      [...parts({ name: "a.pdf" }), packed("pages", [page]), packed("chunks", [chunk])],
    ],
    ["a name without an ending", parts({ name: "../../etc/passwd", pages: 0, chunks: 0 })],
    ["what is no JSON", [...parts(), [{ type: "pages", bytes: 4 }, Buffer.from("text")]]],
    ["JSON that is something else", [...parts(), packed("pages", { page: 1 })]],
    [
      "more than it may unpack to",
      [
        ...parts(),
        (() => {
          const bomb = deflateSync(Buffer.alloc(65 * 2 ** 20, 32));
          return [{ type: "pages", bytes: bomb.length }, bomb] satisfies Part;
        })(),
      ],
    ],
    [
      "an original that is another one",
      [
        ...parts(),
        [{ type: "original", bytes: 3 }, Buffer.from("abc")],
        packed("pages", [page]),
        packed("chunks", [chunk]),
      ],
    ],
    [
      "vectors of half a row",
      [...parts(), [{ type: "vectors", bytes: 7, model: "m", dimensions: 4 }, Buffer.alloc(7)]],
    ],
    ["a record nobody knows", [collection, [{ type: "script", bytes: 0 }]]],
  ];
  test.each(cases)("%s", async (_, records) => refused(await written(records)));

  test("cut short anywhere, or with a bit that fell over", { timeout: 60_000 }, async () => {
    const path = await written([...parts(), packed("pages", [page]), packed("chunks", [chunk])]);
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length += 53) {
      writeFileSync(path, bytes.subarray(0, length));
      await refused(path);
    }
    for (let place = 0; place < bytes.length; place += 61) {
      const damaged = Buffer.from(bytes);
      damaged[place]! ^= 4;
      writeFileSync(path, damaged);
      await refused(path);
    }
    writeFileSync(path, Buffer.concat([bytes, Buffer.from("x")]));
    await refused(path);
    writeFileSync(path, Buffer.concat([MAGIC, Buffer.from([255, 255, 255, 255])]));
    await refused(path);
  });

  test("names lead nowhere else", async () => {
    const path = await written([
      ...parts({ name: "../../../outside/a.txt" }),
      [{ type: "original", bytes: 4 }, Buffer.from("text")],
      packed("pages", [page]),
      packed("chunks", [chunk]),
    ]);
    const { collection: made } = await all(there.library.importCollection(path, null, signal));
    const [imported] = await there.library.documents(made.id);
    expect(imported!.name).toBe("a.txt");
    expect(there.files()).toEqual([`${document.sha256}.text`]);
  });
});
