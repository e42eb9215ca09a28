import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PDFDocument } from "pdf-lib";
import { beforeEach, describe, expect, it } from "vitest";
import { writeZip } from "../ingestion-worker/testing/zip-writer.ts";
import { openLibraryForEachTest, until } from "./testing/open-library.ts";
import { makePdf } from "./testing/pdf-files.ts";
import { drawText, makeScan, ocrData } from "./testing/scans.ts";

const room = openLibraryForEachTest();
const page =
  "Visiting the lighthouse\n\nThe lighthouse keeper lights the lamp at dusk\nand winds the clockwork every four hours.";

describe("text recognition", { timeout: 120_000 }, () => {
  beforeEach(() => room.reopen({ bundledOcrData: ocrData }));

  it("reads scanned pages, with the boxes of their lines on the scan", async () => {
    await room.add(await room.put("scan.pdf", await makeScan([await drawText(page)])));
    const [document] = await room.settled();
    expect(document).toMatchObject({ state: "ready", error: null, paged: true, pageCount: 1, language: "en" });
    const view = await room.library.page(document!.id, 1, []);
    expect(view.text).toContain(
      "The lighthouse keeper lights the lamp at dusk and winds the clockwork every four hours.",
    );
    // The first line of the paragraph was drawn 28 points below the first, at 11 points, 72 points from the left.
    const start = view.text.indexOf("keeper");
    const { boxes } = await room.library.page(document!.id, 1, [{ page: 1, start, end: start + "keeper".length }]);
    expect(boxes).toHaveLength(1);
    const [box] = boxes;
    expect(box!.y).toBeGreaterThan(842 - 732 - 12);
    expect(box!.y + box!.height).toBeLessThan(842 - 732 + 8);
    // "The lighthouse " is 75 points wide in this type.
    expect(box!.x).toBeGreaterThan(72 + 60);
    expect(box!.x).toBeLessThan(72 + 90);
    expect((await room.found("clockwork"))[0]).toMatchObject({ document: "scan.pdf" });
  });

  it("keeps what a page says itself, and recognises only the pages that are pictures", async () => {
    const mixed = await PDFDocument.load(await makePdf(["The first page is text that can be selected."]));
    const [scanned] = await mixed.copyPages(await PDFDocument.load(await makeScan([await drawText(page)])), [0]);
    mixed.addPage(scanned);
    await room.add(await room.put("mixed.pdf", await mixed.save()));
    const [document] = await room.settled();
    expect((await room.library.page(document!.id, 1, [])).text.trim()).toBe(
      "The first page is text that can be selected.",
    );
    expect((await room.library.page(document!.id, 2, [])).text).toContain("lighthouse keeper");
  });

  it("reads pictures of text and shows them", async () => {
    await room.add(await room.put("photo.png", await drawText(page)));
    const [document] = await room.settled();
    expect(document).toMatchObject({ state: "ready", format: "image", paged: true, pageCount: 1 });
    expect((await room.found("clockwork"))[0]).toMatchObject({ document: "photo.png" });
    const picture = await room.library.pageImage(document!.id, 1, 1, new AbortController().signal);
    expect(Buffer.from(picture).toString("latin1", 1, 4)).toBe("PNG");
  });

  it("reads a scan inside an archive", async () => {
    const zip = writeZip([{ name: "letters/scan.png", content: await drawText(page) }]);
    await room.add(await room.put("letters.zip", zip));
    expect((await room.settled())[0]).toMatchObject({ state: "ready", error: null });
    expect((await room.found("clockwork"))[0]).toMatchObject({ document: "letters.zip" });
  });

  it("goes on with other files when a scan is cancelled", async () => {
    const picture = await drawText(page);
    await room.add(await room.put("long.pdf", await makeScan(Array<Buffer>(12).fill(picture))));
    const [document] = await room.library.documents();
    await until(async () => ((await room.library.documents())[0]!.progress ?? 0) > 0);
    expect((await room.library.cancel(document!.id)).state).toBe("cancelled");
    await room.add(await room.put("next.txt", "The next text."));
    expect((await room.settled()).map(({ state }) => state)).toEqual(["cancelled", "ready"]);
  });

  it("says which pages stay without text, and keeps the others, when their data is damaged", async () => {
    const damaged = (await readFile(join(ocrData, "eng.traineddata"))).subarray(0, 400_000);
    await writeFile(join(room.dataDirectory, "ocr/eng.traineddata"), damaged);
    const mixed = await PDFDocument.load(await makePdf(["The first page is text that can be selected."]));
    for (const copied of await mixed.copyPages(await PDFDocument.load(await makeScan([await drawText(page)])), [0])) {
      mixed.addPage(copied);
    }
    await room.add(await room.put("mixed.pdf", await mixed.save()));
    const [document] = await room.settled();
    expect(document).toMatchObject({ state: "ready", error: { code: "FILE_PARTLY_READ" } });
    expect(document!.error!.message).toBe(
      "mixed.pdf was read, except for page 2 (scanned, and its text could not be recognised).",
    );
  });
});

describe("without data for text recognition", { timeout: 60_000 }, () => {
  it("scans say why they cannot be read and what to do, and a picture is one", async () => {
    const picture = await drawText(page);
    await room.add(await room.put("scan.pdf", await makeScan([picture])), await room.put("photo.png", picture));
    for (const document of await room.settled()) {
      expect(document).toMatchObject({ state: "failed", error: { code: "FILE_WITHOUT_TEXT" } });
      expect(document.error!.message).toContain("no data for text recognition here (corral docs ocr-languages");
    }
  });

  it("data that is dropped into the folder is used from the next file on, and is listed", async () => {
    expect((await room.library.recognition()).languages).toEqual([]);
    const { directory } = await room.library.recognition();
    await mkdir(directory, { recursive: true });
    await copyFile(join(ocrData, "eng.traineddata"), join(directory, "eng.traineddata"));
    await writeFile(join(directory, "xyz.traineddata"), "no data at all");
    await writeFile(join(directory, "README.txt"), "not a language");
    expect((await room.library.recognition()).languages).toEqual([
      { name: "eng", bytes: 4_113_088, usable: true },
      { name: "xyz", bytes: 14, usable: false },
    ]);
    await room.add(await room.put("photo.png", await drawText(page)));
    expect((await room.settled())[0]).toMatchObject({ state: "ready" });
  });
});
