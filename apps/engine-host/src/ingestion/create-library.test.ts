import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { mkdir, mkdtemp, readdir, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { AddResult, DocumentSummary, LibraryEvent } from "@corral/protocol";
import { Document, Packer, Paragraph } from "docx";
import { PDFDocument, StandardFonts } from "pdf-lib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { createLibrary, type LibraryOptions } from "./create-library.ts";
import type { Library } from "./library.ts";

/** The real library over the real store and real worker processes, in a directory of its own. */
let root: string;
let store: Store;
let library: Library;
let collectionId: string;

const path = (name: string) => join(root, name);
const dataDirectory = () => join(root, "data");

async function openLibrary(options: Partial<LibraryOptions> = {}): Promise<void> {
  store = await openStore(dataDirectory(), () => {});
  library = await createLibrary({ store, dataDirectory: dataDirectory(), ...options });
}

async function closeLibrary(): Promise<void> {
  await library[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "corral-library-"));
  await mkdir(dataDirectory());
  await openLibrary();
  collectionId = (await library.createCollection("Papers")).id;
});

afterEach(async () => {
  await closeLibrary();
  await rm(root, { recursive: true, force: true });
});

async function put(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(path(name), content);
  return path(name);
}

/** The documents once none of them is waiting or being read any more. */
async function settled(): Promise<DocumentSummary[]> {
  for (;;) {
    const documents = await library.documents();
    if (documents.every(({ state }) => ["ready", "failed", "cancelled"].includes(state))) return documents;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function add(...paths: string[]): Promise<AddResult[]> {
  return library.addPaths(collectionId, paths);
}

async function makePdf(pages: string[]): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (const text of pages) {
    const page = document.addPage([595, 842]);
    text.split("\n").forEach((line, i) => page.drawText(line, { x: 72, y: 760 - 14 * i, size: 11, font }));
  }
  return document.save();
}

/**
 * A PDF that takes the worker some seconds though it is made at once: every page shows the same content. `mark` makes
 * files of different content.
 */
function longPdf(mark = "", pages = 3000): Buffer {
  const lines = Array.from(
    { length: 45 },
    (_, i) => `(Line ${i} says the same on every page of this long document.) Tj T*`,
  );
  const content = `BT /F1 11 Tf 14 TL 72 780 Td ${lines.join(" ")} ET`;
  const kids = Array.from({ length: pages }, (_, i) => `${i + 5} 0 R`).join(" ");
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages} /Kids [${kids}] >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    `<< /Length ${content.length} >> stream\n${content}\nendstream`,
    ...Array<string>(pages).fill(
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents 4 0 R >>",
    ),
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj ${object} endobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join("")}`;
  return Buffer.from(
    `${text}${table}trailer << /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n%${mark}`,
  );
}

const found = async (query: string) => (await store.index.search(query, null, 10)).map(({ chunk }) => chunk);

describe("adding files", { timeout: 60_000 }, () => {
  it("reads every kind of file, so that its words are found and its place is known", async () => {
    const docx = new Document({ sections: [{ children: [new Paragraph("The gearbox needs amber grease.")] }] });
    const results = await add(
      await put("visitors.pdf", await makePdf(["Nothing here.", "The green badge opens the gate."])),
      await put("guide.docx", await Packer.toBuffer(docx)),
      await put("faq.html", "<main><h1>Questions</h1><p>Guide dogs are welcome in the orchid house.</p></main>"),
      await put("policy.md", "# Travel\n\nA hotel night costs at most 140 euro in Lisbon."),
      await put("notes.TXT", "Der Schlüssel liegt beim Pförtner."),
    );
    expect(results.map(({ outcome, error }) => [outcome, error])).toEqual(Array(5).fill(["added", null]));
    const documents = await settled();
    expect(
      documents.map(({ name, state, format, paged, pageCount }) => [name, state, format, paged, pageCount]),
    ).toEqual([
      ["visitors.pdf", "ready", "pdf", true, 2],
      ["guide.docx", "ready", "docx", false, 1],
      ["faq.html", "ready", "html", false, 1],
      ["policy.md", "ready", "markdown", false, 1],
      ["notes.TXT", "ready", "text", false, 1],
    ]);
    const [hit] = await found("green badge");
    expect(hit).toMatchObject({ document: "visitors.pdf", paged: true, text: "The green badge opens the gate." });
    expect(hit!.spans[0]!.page).toBe(2);
    expect((await found("amber grease"))[0]!.document).toBe("guide.docx");
    expect((await found("guide dogs"))[0]).toMatchObject({ document: "faq.html", headingPath: ["Questions"] });
    expect((await found("Schlüssel Pförtner"))[0]!.document).toBe("notes.TXT");
  });

  it("adds folders with all below them, without hidden files and links that lead out", async () => {
    await mkdir(path("folder/deep/.git"), { recursive: true });
    await mkdir(path("outside"));
    await put("outside/secret.txt", "outside");
    await put("folder/a.txt", "A text.");
    await put("folder/deep/b.md", "B text.");
    await put("folder/.hidden.txt", "hidden");
    await put("folder/deep/.git/c.txt", "hidden");
    await put("folder/picture.png", "png");
    await symlink(path("outside"), path("folder/out"));
    await symlink(path("outside/secret.txt"), path("folder/out.txt"));
    await symlink(path("folder"), path("folder/deep/loop"));
    const results = await add(path("folder"));
    expect(results.map(({ file, outcome }) => [file, outcome])).toEqual([
      [path("folder/a.txt"), "added"],
      [path("folder/deep/b.md"), "added"],
      [path("folder/picture.png"), "refused"],
    ]);
    await mkdir(path("empty"));
    expect((await add(path("empty")))[0]!.error).toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("refuses what it cannot read, each with one clear sentence, and takes the rest", async () => {
    await promisify(execFile)("mkfifo", [path("pipe.txt")]);
    const results = await add(
      await put("empty.txt", ""),
      await put("song.mp3", "x"),
      await put("noending", "text"),
      path("missing.pdf"),
      await put("really-a-pdf.txt", await makePdf(["x"])),
      await put("really-text.pdf", "text"),
      await put("really-text.docx", "text"),
      path("pipe.txt"),
      await put("good.txt", "This one is fine."),
    );
    expect(results.map(({ error }) => error?.code ?? null)).toEqual([
      "EMPTY_FILE",
      "UNSUPPORTED_FILE_TYPE",
      "UNSUPPORTED_FILE_TYPE",
      "FILE_NOT_FOUND",
      "FILE_UNREADABLE",
      "FILE_UNREADABLE",
      "FILE_UNREADABLE",
      "UNSUPPORTED_FILE_TYPE",
      null,
    ]);
    for (const { error } of results) if (error) expect(error.message).toMatch(/^\S.*[.!]$/);
    expect(results[1]!.error!.message).toContain("pdf, docx, html");
    expect((await settled()).map(({ name, state }) => [name, state])).toEqual([["good.txt", "ready"]]);
  });

  it("says per document why it could not be read", async () => {
    const docx = await Packer.toBuffer(new Document({ sections: [{ children: [new Paragraph("Text.")] }] }));
    const pdf = Buffer.from(await makePdf(["Some text."]));
    const fixtures = join(import.meta.dirname, "../ingestion-worker/fixtures");
    await add(
      await put("cut.docx", docx.subarray(0, 2000)),
      await put("cut.pdf", pdf.subarray(0, 50)),
      await put("binary.txt", Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 7) % 256))),
      await put("scanned.pdf", await makePdf(["", ""])),
      await put("blank.txt", "  \n \n"),
      join(fixtures, "password-secret.pdf"),
      await put("good.txt", "This one is fine."),
    );
    const documents = await settled();
    expect(documents.map(({ name, state, error }) => [name, state, error?.code ?? null])).toEqual([
      ["cut.docx", "failed", "FILE_UNREADABLE"],
      ["cut.pdf", "failed", "FILE_UNREADABLE"],
      ["binary.txt", "failed", "FILE_UNREADABLE"],
      ["scanned.pdf", "failed", "FILE_WITHOUT_TEXT"],
      ["blank.txt", "failed", "FILE_WITHOUT_TEXT"],
      ["password-secret.pdf", "failed", "FILE_PASSWORD_PROTECTED"],
      ["good.txt", "ready", null],
    ]);
    expect(documents[3]!.error!.message).toContain("looks scanned");
  });

  it("does nothing for content that is there already, and replaces a file that changed", async () => {
    await add(await put("plan.txt", "The meeting is on Tuesday."));
    await settled();
    await utimes(path("plan.txt"), new Date(0), new Date(0));
    const again = await add(path("plan.txt"), await put("copy.txt", "The meeting is on Tuesday."));
    expect(again.map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged"]);
    const other = await library.createCollection("Other");
    expect((await library.addPaths(other.id, [path("plan.txt")]))[0]!.outcome).toBe("added");
    await settled();

    await put("plan.txt", "The meeting is on Thursday.");
    expect((await add(path("plan.txt")))[0]!.outcome).toBe("added");
    await until(async () => (await library.documents(collectionId)).length === 1);
    await settled();
    expect((await found("meeting")).map(({ text, collectionId: id }) => [text, id === collectionId]).sort()).toEqual([
      ["The meeting is on Thursday.", true],
      ["The meeting is on Tuesday.", false],
    ]);
  });

  it("refuses a collection that does not exist", async () => {
    await expect(library.addPaths("none", [path("a.txt")])).rejects.toMatchObject({ code: "COLLECTION_NOT_FOUND" });
  });

  it("follows nothing a document refers to", async () => {
    const connections: string[] = [];
    await using server = createServer((socket) => {
      connections.push("connected");
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/x.png`;
    const secret = await put("secret.txt", "canary-7f3a");
    await add(
      await put(
        "a.html",
        `<p>Text</p><img src="${url}"><link rel="stylesheet" href="${url}"><iframe src="file://${secret}"></iframe>`,
      ),
      await put("b.md", `Text ![x](${url}) [y](file://${secret}) <img src="${url}">`),
    );
    expect((await settled()).map(({ state }) => state)).toEqual(["ready", "ready"]);
    expect(connections).toEqual([]);
    expect(await found("canary-7f3a")).toEqual([]);
  });
});

describe("the reading queue", { timeout: 60_000 }, () => {
  it("tells the progress of a document, and cancels it for good", async () => {
    const [result] = await add(await put("long.pdf", longPdf()));
    const id = result!.document!.id;
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const event of library.watch(stop.signal)) {
      if (event.type === "document" && event.document.progress) seen.push(event.document.progress);
      if (seen.length === 3) break;
    }
    stop.abort();
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen[2]).toBeGreaterThan(0);
    expect(seen[2]).toBeLessThan(1);
    expect((await library.cancel(id)).state).toBe("cancelled");
    // The next file is read, and the cancelled one stays as it is until it is asked for again.
    await add(await put("short.txt", "A short text."));
    expect((await settled()).map(({ state }) => state)).toEqual(["cancelled", "ready"]);
    expect(await found("long document")).toEqual([]);
    expect((await library.retry(id)).state).toBe("queued");
    await until(async () => (await library.documents())[0]!.state === "reading");
    await library.removeDocument(id);
    expect((await settled()).map(({ name }) => name)).toEqual(["short.txt"]);
    await expect(library.cancel(id)).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
  });

  it("cancels and removes documents that wait", async () => {
    const files = await Promise.all([1, 2].map(async (n) => put(`long${n}.pdf`, longPdf(String(n)))));
    const results = await add(...files, await put("c.txt", "C waits."), await put("d.txt", "D waits."));
    const ids = results.map(({ document }) => document!.id);
    expect((await library.cancel(ids[2]!)).state).toBe("cancelled");
    await library.removeDocument(ids[3]!);
    await library.cancel(ids[0]!);
    await library.cancel(ids[1]!);
    expect((await settled()).map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled"]);
  });

  it("goes on after a worker died: that file fails with a reason, the next one is read", async () => {
    const [result] = await add(await put("long.pdf", longPdf()));
    await until(async () => ((await library.documents())[0]!.progress ?? 0) > 0);
    for (const pid of await childProcesses()) process.kill(pid, "SIGKILL");
    const [document] = await settled();
    expect(document).toMatchObject({ id: result!.document!.id, state: "failed", error: { code: "FILE_UNREADABLE" } });
    expect(document!.error!.message).toContain("stopped unexpectedly");
    await add(await put("next.txt", "The next text."));
    expect((await settled())[1]).toMatchObject({ name: "next.txt", state: "ready" });
  });

  it("gives up on a file that needs too much time, memory or room", async () => {
    const file = await put("long.pdf", longPdf());
    const cases: [Partial<LibraryOptions>, string][] = [
      [{ timeoutFor: () => 700 }, "time"],
      [{ workers: { memoryBytes: 150 * 2 ** 20 } }, "memory"],
      [{ limits: { pages: 5000, characters: 10_000, fileBytes: 1e6, unpackedBytes: 1e6 } }, "output"],
    ];
    for (const [options, limit] of cases) {
      await closeLibrary();
      await openLibrary(options);
      await add(file);
      const [document] = await settled();
      expect(document).toMatchObject({ state: "failed", error: { code: "PARSE_LIMIT", data: { limit } } });
    }
  });

  it("goes on after a restart with what was left unfinished", async () => {
    await add(await put("long.pdf", longPdf("", 300)), await put("a.txt", "Kept for later."));
    await closeLibrary();
    await openLibrary();
    const documents = await settled();
    expect(documents.map(({ name, state }) => [name, state])).toEqual([
      ["long.pdf", "ready"],
      ["a.txt", "ready"],
    ]);
    expect(documents[0]!.pageCount).toBe(300);
  });

  it("says so when a file was moved or changed before it could be read", async () => {
    const a = await put("long.pdf", longPdf());
    const b = await put("long2.pdf", longPdf("2"));
    const results = await add(a, b, await put("c.txt", "C text."), await put("d.txt", "D text."));
    await unlink(path("c.txt"));
    await put("d.txt", "D is another text now.");
    for (const { document } of results.slice(0, 2)) await library.cancel(document!.id);
    expect((await settled()).slice(2).map(({ error }) => error?.code)).toEqual(["FILE_NOT_FOUND", "FILE_NOT_FOUND"]);
  });
});

describe("uploads", { timeout: 60_000 }, () => {
  const none = new AbortController().signal;
  async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield Buffer.from(part);
  }
  const kept = () => readdir(join(dataDirectory(), "files"));

  it("keeps the content once, under a name of its own making, until the last document is gone", async () => {
    const upload = await library.addUpload(
      collectionId,
      "../../etc/pass\u0000wd.txt",
      pieces("The pass", "word is in the safe."),
      none,
    );
    expect(upload).toMatchObject({ outcome: "added", document: { name: "passwd.txt" } });
    const other = await library.createCollection("Other");
    const second = await library.addUpload(other.id, "same.txt", pieces("The password is in the safe."), none);
    expect((await library.addUpload(other.id, "again.txt", pieces("The password is in the safe."), none)).outcome).toBe(
      "unchanged",
    );
    expect(await kept()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.text$/)]);
    expect((await settled()).map(({ state }) => state)).toEqual(["ready", "ready"]);
    expect(await found("password safe")).toHaveLength(2);
    await library.removeDocument(upload.document!.id);
    expect(await kept()).toHaveLength(1);
    await library.removeCollection(second.document!.collectionId);
    expect(await kept()).toEqual([]);
  });

  it("leaves nothing behind when an upload is aborted, refused or too much for the disk", async () => {
    const stop = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("begin");
      setTimeout(() => stop.abort(), 20);
      await new Promise(() => {});
    }
    await expect(library.addUpload(collectionId, "a.txt", silent(), stop.signal)).rejects.toMatchObject({
      code: "CANCELLED",
    });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("begin");
      throw new Error("The connection was lost.");
    }
    expect((await library.addUpload(collectionId, "b.txt", broken(), none)).outcome).toBe("refused");
    const refused = [
      await library.addUpload(collectionId, "c.exe", pieces("x"), none),
      await library.addUpload(collectionId, "d.pdf", pieces("not a pdf"), none),
      await library.addUpload(collectionId, "e.txt", pieces(), none),
    ];
    expect(refused.map(({ error }) => error!.code)).toEqual(["UNSUPPORTED_FILE_TYPE", "FILE_UNREADABLE", "EMPTY_FILE"]);
    const huge = (async function* () {
      const piece = Buffer.alloc(50 * 2 ** 20, 32);
      for (let i = 0; i < 11; i++) yield piece;
    })();
    expect((await library.addUpload(collectionId, "f.txt", huge, none)).error!.code).toBe("FILE_TOO_LARGE");
    await closeLibrary();
    await openLibrary({ freeBytes: async () => 2 ** 30 });
    expect((await library.addUpload(collectionId, "g.txt", pieces("text"), none)).error!.code).toBe("DISK_FULL");
    expect(await kept()).toEqual([]);
    expect(await library.documents()).toEqual([]);
  });

  it("cleans up at the start what an interrupted upload left", async () => {
    await writeFile(join(dataDirectory(), "files", "tmp-1"), "half");
    await writeFile(join(dataDirectory(), "files", `${"a".repeat(64)}.text`), "nobody's");
    await closeLibrary();
    await openLibrary();
    expect(await kept()).toEqual([]);
  });
});

describe("showing a document", { timeout: 60_000 }, () => {
  it("gives a page with boxes and its picture, until the file changes", async () => {
    const pdf = await makePdf(["First page.", "The red lever stops the pump."]);
    const [result] = await add(await put("pump.pdf", pdf));
    await settled();
    const id = result!.document!.id;
    const [hit] = await found("red lever");
    const view = await library.page(id, 2, hit!.spans);
    expect(view).toMatchObject({ documentId: id, page: 2, width: 595, height: 842 });
    expect(view.text.slice(hit!.spans[0]!.start, hit!.spans[0]!.end)).toBe("The red lever stops the pump.");
    expect(view.boxes).toHaveLength(1);
    expect(view.boxes[0]!.x).toBeCloseTo(72, 0);
    const none = new AbortController().signal;
    const png = Buffer.from(await library.pageImage(id, 2, 1, none));
    expect([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(["PNG", 595, 842]);
    await expect(library.page(id, 3, [])).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(library.pageImage(id, 3, 1, none)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(library.page("none", 1, [])).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
    const changed = Buffer.from(pdf);
    changed[changed.length - 2] = 32;
    await put("pump.pdf", changed);
    await expect(library.pageImage(id, 2, 1, none)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await unlink(path("pump.pdf"));
    await expect(library.pageImage(id, 2, 1, none)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    expect((await library.page(id, 2, [])).text).toContain("red lever");
  });

  it("draws a page while documents are being read", async () => {
    const [small] = await add(await put("small.pdf", await makePdf(["Small."])));
    await settled();
    await add(...(await Promise.all([1, 2, 3].map(async (n) => put(`long${n}.pdf`, longPdf(String(n)))))));
    await until(async () => (await library.documents()).filter(({ state }) => state === "reading").length === 2);
    await library.pageImage(small!.document!.id, 1, 1, new AbortController().signal);
    expect((await library.documents()).filter(({ state }) => state === "reading" || state === "queued")).toHaveLength(
      3,
    );
    for (const { id, state } of await library.documents()) if (state !== "ready") await library.cancel(id);
  });
});

describe("watching the library", { timeout: 60_000 }, () => {
  it("begins with a snapshot and tells every watcher each change", async () => {
    const stop = new AbortController();
    const events: LibraryEvent[][] = [[], []];
    const watching = events.map(async (list) => {
      for await (const event of library.watch(stop.signal)) list.push(event);
    });
    await until(() => events.every((list) => list.length === 1));
    const [result] = await add(await put("a.txt", "A text."));
    await settled();
    await library.removeDocument(result!.document!.id);
    await library.renameCollection(collectionId, "Renamed");
    await library.removeCollection(collectionId);
    await until(() => events.every((list) => list.at(-1)?.type === "collection-removed"));
    stop.abort();
    await Promise.all(watching);
    for (const list of events) {
      expect(list[0]).toMatchObject({ type: "snapshot", collections: [{ name: "Papers" }], documents: [] });
      const states = list.flatMap((event) => (event.type === "document" ? [event.document.state] : []));
      expect(states[0]).toBe("queued");
      expect(states.at(-1)).toBe("ready");
      expect(list.some((event) => event.type === "document-removed")).toBe(true);
    }
  });

  it("keeps only the newest state of each document for a watcher that does not keep up", async () => {
    const stop = new AbortController();
    const watch = library.watch(stop.signal)[Symbol.asyncIterator]();
    await watch.next();
    await add(await put("a.txt", "A text."), await put("b.txt", "B text."));
    await settled();
    await until(async () => (await library.collections())[0]!.chunkCount === 2);
    const rest: LibraryEvent[] = [];
    for (let i = 0; i < 3; i++) rest.push((await watch.next()).value as LibraryEvent);
    expect(rest.map((event) => (event.type === "document" ? event.document.state : event.type)).sort()).toEqual([
      "collection",
      "ready",
      "ready",
    ]);
    stop.abort();
    expect((await watch.next()).done).toBe(true);
  });
});

/** Process ids of this process's ingestion workers. */
async function childProcesses(): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)]);
  const lines = stdout.split("\n").filter((line) => line.includes("ingestion-worker"));
  return lines.map((line) => Number(line.trim().split(/\s+/)[0]));
}
