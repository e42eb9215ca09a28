import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rename, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Document, Packer, Paragraph } from "docx";
import { describe, expect, it } from "vitest";
import { openLibraryForEachTest, until } from "./testing/open-library.ts";
import { longPdf, makePdf } from "./testing/pdf-files.ts";

const room = openLibraryForEachTest();

describe("adding files", { timeout: 60_000 }, () => {
  it("reads every kind of file, so that its words are found and its place is known", async () => {
    const docx = new Document({ sections: [{ children: [new Paragraph("The gearbox needs amber grease.")] }] });
    const results = await room.add(
      await room.put("visitors.pdf", await makePdf(["Nothing here.", "The green badge opens the gate."])),
      await room.put("guide.docx", await Packer.toBuffer(docx)),
      await room.put("faq.html", "<main><h1>Questions</h1><p>Guide dogs are welcome in the orchid house.</p></main>"),
      await room.put("policy.md", "# Travel\n\nA hotel night costs at most 140 euro in Lisbon."),
      await room.put("notes.TXT", "Der Schlüssel liegt beim Pförtner."),
    );
    expect(results.map(({ outcome, error }) => [outcome, error])).toEqual(Array(5).fill(["added", null]));
    const documents = await room.settled();
    expect(
      documents.map(({ name, state, format, paged, pageCount }) => [name, state, format, paged, pageCount]),
    ).toEqual([
      ["visitors.pdf", "ready", "pdf", true, 2],
      ["guide.docx", "ready", "docx", false, 1],
      ["faq.html", "ready", "html", false, 1],
      ["policy.md", "ready", "markdown", false, 1],
      ["notes.TXT", "ready", "text", false, 1],
    ]);
    const [hit] = await room.found("green badge");
    expect(hit).toMatchObject({ document: "visitors.pdf", paged: true, text: "The green badge opens the gate." });
    expect(hit!.spans[0]!.page).toBe(2);
    expect((await room.found("amber grease"))[0]!.document).toBe("guide.docx");
    expect((await room.found("guide dogs"))[0]).toMatchObject({ document: "faq.html", headingPath: ["Questions"] });
    expect((await room.found("Schlüssel Pförtner"))[0]!.document).toBe("notes.TXT");
  });

  it("adds folders with all below them, without hidden files and links that lead out", async () => {
    await mkdir(room.path("folder/deep/.git"), { recursive: true });
    await mkdir(room.path("outside"));
    await room.put("outside/secret.txt", "outside");
    await room.put("folder/a.txt", "A text.");
    await room.put("folder/deep/b.md", "B text.");
    await room.put("folder/.hidden.txt", "hidden");
    await room.put("folder/deep/.git/c.txt", "hidden");
    await room.put("folder/picture.png", "png");
    await symlink(room.path("outside"), room.path("folder/out"));
    await symlink(room.path("outside/secret.txt"), room.path("folder/out.txt"));
    await symlink(room.path("folder"), room.path("folder/deep/loop"));
    const results = await room.add(room.path("folder"));
    expect(results.map(({ file, outcome }) => [file, outcome])).toEqual([
      [room.path("folder/a.txt"), "added"],
      [room.path("folder/deep/b.md"), "added"],
      [room.path("folder/picture.png"), "refused"],
    ]);
    await mkdir(room.path("empty"));
    expect((await room.add(room.path("empty")))[0]!.error).toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("refuses what it cannot read, each with one clear sentence, and takes the rest", async () => {
    await promisify(execFile)("mkfifo", [room.path("pipe.txt")]);
    const results = await room.add(
      await room.put("empty.txt", ""),
      await room.put("song.mp3", "x"),
      await room.put("noending", "text"),
      await room.put("photo.webp", "RIFF1234WEBP"),
      room.path("missing.pdf"),
      await room.put("really-a-pdf.txt", await makePdf(["x"])),
      await room.put("really-text.pdf", "text"),
      await room.put("really-text.docx", "text"),
      room.path("pipe.txt"),
      await room.put("good.txt", "This one is fine."),
    );
    expect(results.map(({ error }) => error?.code ?? null)).toEqual([
      "EMPTY_FILE",
      "UNSUPPORTED_FILE_TYPE",
      "UNSUPPORTED_FILE_TYPE",
      "FILE_UNREADABLE",
      "FILE_NOT_FOUND",
      "FILE_UNREADABLE",
      "FILE_UNREADABLE",
      "FILE_UNREADABLE",
      "UNSUPPORTED_FILE_TYPE",
      null,
    ]);
    for (const { error } of results) if (error) expect(error.message).toMatch(/^\S.*[.!]$/);
    expect(results[3]!.error!.message).toContain("save it as PNG or JPEG");
    expect(results[1]!.error!.message).toContain("Corral reads PDF, Office");
    expect((await room.settled()).map(({ name, state }) => [name, state])).toEqual([["good.txt", "ready"]]);
  });

  it("says per document why it could not be read", async () => {
    const docx = await Packer.toBuffer(new Document({ sections: [{ children: [new Paragraph("Text.")] }] }));
    const pdf = Buffer.from(await makePdf(["Some text."]));
    const fixtures = join(import.meta.dirname, "../ingestion-worker/fixtures");
    await room.add(
      await room.put("cut.docx", docx.subarray(0, 2000)),
      await room.put("cut.pdf", pdf.subarray(0, 50)),
      await room.put("binary.txt", Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 7) % 256))),
      await room.put("scanned.pdf", await makePdf(["", ""])),
      await room.put("blank.txt", "  \n \n"),
      join(fixtures, "password-secret.pdf"),
      await room.put("good.txt", "This one is fine."),
    );
    const documents = await room.settled();
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
    await room.add(await room.put("plan.txt", "The meeting is on Tuesday."));
    await room.settled();
    await utimes(room.path("plan.txt"), new Date(0), new Date(0));
    const again = await room.add(room.path("plan.txt"), await room.put("copy.txt", "The meeting is on Tuesday."));
    expect(again.map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged"]);
    const other = await room.library.createCollection("Other");
    expect((await room.library.addPaths(other.id, [room.path("plan.txt")]))[0]!.outcome).toBe("added");
    await room.settled();

    await room.put("plan.txt", "The meeting is on Thursday.");
    expect((await room.add(room.path("plan.txt")))[0]!.outcome).toBe("added");
    await until(async () => (await room.library.documents(room.collectionId)).length === 1);
    await room.settled();
    expect(
      (await room.found("meeting")).map(({ text, collectionId: id }) => [text, id === room.collectionId]).sort(),
    ).toEqual([
      ["The meeting is on Thursday.", true],
      ["The meeting is on Tuesday.", false],
    ]);
  });

  it("knows a file by its stamp: a second pass opens none", async () => {
    const paths = await Promise.all(["a", "b", "c"].map((name) => room.put(`${name}.txt`, `The ${name} file.`)));
    const yesterday = new Date(Math.floor(Date.now() / 1000) * 1000 - 86_400_000);
    for (const path of paths) await utimes(path, yesterday, yesterday);
    await room.add(...paths);
    await room.settled();
    // Other words of the same length, with size, time and inode as they were: who opens the file finds out.
    await writeFile(paths[0]!, "The x file.");
    await utimes(paths[0]!, yesterday, yesterday);
    expect((await room.add(...paths)).map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged", "unchanged"]);
  });

  it("follows a file that was moved, by its content", async () => {
    const [first] = await room.add(await room.put("old.txt", "The ledger of 1931."));
    await room.settled();
    await rename(room.path("old.txt"), room.path("new.txt"));
    const [second] = await room.add(room.path("new.txt"));
    expect(second).toMatchObject({ outcome: "unchanged", document: { id: first!.document!.id, name: "new.txt" } });
  });

  it("tells what a collection takes, and gives all of it back when its documents go", async () => {
    const never = new AbortController().signal;
    const text = "The lighthouse keeper counts the ships that pass the cape each night. ".repeat(200);
    await room.library.addUpload(room.collectionId, "log.txt", upload(text), never);
    await room.add(await room.put("in-place.txt", `${text} Twice.`));
    await room.settled();
    const full = await room.library.storage(room.collectionId);
    expect(full.copiesBytes).toBe(text.length);
    expect(full.inPlaceBytes).toBe(text.length + " Twice.".length);
    expect(full.textBytes).toBeGreaterThan(2 * text.length);
    expect(full.indexBytes).toBeGreaterThan(0);
    const other = await room.library.createCollection("Other");
    const nothing = { copiesBytes: 0, inPlaceBytes: 0, textBytes: 0, indexBytes: 0, vectorBytes: 0 };
    expect(await room.library.storage(other.id)).toEqual(nothing);

    const documents = await room.library.documents();
    for (const { id } of documents) await room.library.removeDocument(id);
    expect(await room.library.storage(room.collectionId)).toEqual(nothing);
    expect(await room.found("lighthouse")).toEqual([]);
    expect(await readdir(join(room.dataDirectory, "files"))).toEqual([]);
    expect(await readFile(room.path("in-place.txt"), "utf8")).toContain("Twice.");
    for (const { id } of documents) {
      await expect(room.library.page(id, 1, [])).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
      expect(await room.store.pages.get(id, 1)).toBeNull();
      expect(await room.store.index.chunk(`${id}.0`)).toBeNull();
    }
    await expect(room.library.storage("none")).rejects.toMatchObject({ code: "COLLECTION_NOT_FOUND" });
  });

  it("refuses a collection that does not exist", async () => {
    await expect(room.library.addPaths("none", [room.path("a.txt")])).rejects.toMatchObject({
      code: "COLLECTION_NOT_FOUND",
    });
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
    const secret = await room.put("secret.txt", "canary-7f3a");
    await room.add(
      await room.put(
        "a.html",
        `<p>Text</p><img src="${url}"><link rel="stylesheet" href="${url}"><iframe src="file://${secret}"></iframe>`,
      ),
      await room.put("b.md", `Text ![x](${url}) [y](file://${secret}) <img src="${url}">`),
    );
    expect((await room.settled()).map(({ state }) => state)).toEqual(["ready", "ready"]);
    expect(connections).toEqual([]);
    expect(await room.found("canary-7f3a")).toEqual([]);
  });
});

describe("showing a document", { timeout: 60_000 }, () => {
  it("gives a page with boxes and its picture, until the file changes", async () => {
    const pdf = await makePdf(["First page.", "The red lever stops the pump."]);
    const [result] = await room.add(await room.put("pump.pdf", pdf));
    await room.settled();
    const id = result!.document!.id;
    const [hit] = await room.found("red lever");
    const view = await room.library.page(id, 2, hit!.spans);
    expect(view).toMatchObject({ documentId: id, page: 2, width: 595, height: 842 });
    expect(view.text.slice(hit!.spans[0]!.start, hit!.spans[0]!.end)).toBe("The red lever stops the pump.");
    expect(view.boxes).toHaveLength(1);
    expect(view.boxes[0]!.x).toBeCloseTo(72, 0);
    const none = new AbortController().signal;
    const png = Buffer.from(await room.library.pageImage(id, 2, 1, none));
    expect([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(["PNG", 595, 842]);
    await expect(room.library.page(id, 3, [])).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(room.library.pageImage(id, 3, 1, none)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(room.library.page("none", 1, [])).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
    const changed = Buffer.from(pdf);
    changed[changed.length - 2] = 32;
    await room.put("pump.pdf", changed);
    await expect(room.library.pageImage(id, 2, 1, none)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await unlink(room.path("pump.pdf"));
    await expect(room.library.pageImage(id, 2, 1, none)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    expect((await room.library.page(id, 2, [])).text).toContain("red lever");
  });

  it("draws a page while documents are being read", async () => {
    const [small] = await room.add(await room.put("small.pdf", await makePdf(["Small."])));
    await room.settled();
    await room.add(...(await Promise.all([1, 2, 3].map(async (n) => room.put(`long${n}.pdf`, longPdf(String(n)))))));
    await until(async () => (await room.library.documents()).filter(({ state }) => state === "reading").length === 2);
    await room.library.pageImage(small!.document!.id, 1, 1, new AbortController().signal);
    expect(
      (await room.library.documents()).filter(({ state }) => state === "reading" || state === "queued"),
    ).toHaveLength(3);
    for (const { id, state } of await room.library.documents()) if (state !== "ready") await room.library.cancel(id);
  });
});

async function* upload(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
