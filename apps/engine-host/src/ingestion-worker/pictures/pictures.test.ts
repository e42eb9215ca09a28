import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LiteParse } from "@llamaindex/liteparse";
import { beforeAll, describe, expect, it } from "vitest";
import { readLimits } from "../../ingestion/reading-queue.ts";
import { drawText, greyOf, ocrData } from "../../ingestion/testing/scans.ts";
import { Losses } from "../losses.ts";
import { parsePdf, renderPdfPage } from "../pdf.ts";
import { crop, type Grey, turnLeft, writeBmp, writePng, writeTiff } from "../testing/bitmaps.ts";
import { pictureToPdf } from "./read-picture.ts";

const fixture = (name: string) => readFile(join(import.meta.dirname, "../fixtures", name));
const sentence = "The ferry leaves the old pier at seven in the morning";
let grey: Grey;
beforeAll(async () => {
  grey = crop(greyOf(await drawText(`Minutes\n\n${sentence}\nand the crossing takes forty minutes.`)), 500);
});

async function textOf(picture: Buffer): Promise<string[]> {
  const recognition = { directory: ocrData, languages: ["eng"], threads: 1 };
  const losses = new Losses();
  const texts: string[] = [];
  for await (const part of parsePdf(await pictureToPdf(picture, 10), { limits: readLimits, recognition, losses })) {
    texts.push(...part.pages.map((page) => page.text.trim()));
  }
  return texts;
}
async function sizeOf(picture: Buffer): Promise<{ width: number; height: number }> {
  const { pages } = await new LiteParse({ ocrEnabled: false, quiet: true }).parse(await pictureToPdf(picture, 10));
  return { width: pages[0]!.width, height: pages[0]!.height };
}

describe("text in pictures", { timeout: 60_000 }, () => {
  it.each(["letter.jpg", "letter-g4.tif", "letter-lzw.tif"])("is read from %s", async (name) => {
    const [text] = await textOf(await fixture(name));
    expect(text).toContain(sentence);
    expect(text).toContain("forty minutes.");
  });

  it.each([
    ["grey", { colors: 0 }],
    ["RGB of 16 bits", { colors: 2, bits: 16 }],
    ["a palette", { colors: 3 }],
    ["grey on nothing", { colors: 4 }],
    ["RGB on nothing", { colors: 6 }],
  ] as const)("is read from PNG with %s", async (_name, options) => {
    expect((await textOf(writePng(grey, options)))[0]).toContain(sentence);
  });

  it("is read from a bitmap and from each page of a TIFF", async () => {
    expect((await textOf(writeBmp(grey)))[0]).toContain(sentence);
    // The second directory stands behind the first picture's.
    const first = writeTiff(grey);
    const pages = Buffer.concat([first, Buffer.alloc(first.length % 2), first.subarray(8 + grey.pixels.length)]);
    pages.writeUInt32LE(first.length + (first.length % 2), first.length - 4);
    expect((await textOf(pages)).map((text) => text.includes(sentence))).toEqual([true, true]);
  });

  it("is read upright, however the camera was held", async () => {
    const turned = turnLeft(grey);
    expect((await textOf(writeTiff(turned)))[0] ?? "").not.toContain(sentence);
    expect((await textOf(writeTiff(turned, { 274: 6 })))[0]).toContain(sentence);
    const { width, height } = await sizeOf(writeTiff(turned, { 274: 6 }));
    expect(width / height).toBeCloseTo(grey.width / grey.height, 2);
  });

  it("stands where the marks go: what EXIF says of a JPEG turns the page", async () => {
    const jpeg = await fixture("letter.jpg");
    // APP1 with a TIFF of one entry: orientation 6.
    const exif = Buffer.from(
      "ffe10022457869660000" + "49492a0008000000" + "0100" + "120103000100000006000000" + "00000000",
      "hex",
    );
    const upright = await sizeOf(jpeg);
    const turned = await sizeOf(Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]));
    expect([turned.width, turned.height]).toEqual([upright.height, upright.width]);
  });
});

describe("a language whose data is missing", { timeout: 60_000 }, () => {
  it("is never asked for: the page stays without text and says why", async () => {
    const recognition = { directory: ocrData, languages: ["eng", "fra"], threads: 1 };
    const losses = new Losses();
    const pdf = await pictureToPdf(await fixture("letter.jpg"), 10);
    const texts: string[] = [];
    for await (const part of parsePdf(pdf, { limits: readLimits, recognition, losses })) {
      texts.push(...part.pages.map((page) => page.text));
    }
    expect(texts).toEqual([""]);
    expect(losses.list()).toEqual(["page 1 (scanned, and there is no data for text recognition)"]);
  });
});

describe("the size of a picture on paper", () => {
  it("is what the file says, else that of a screen or a sheet", async () => {
    const inches = async (picture: Buffer) => (await sizeOf(picture)).width / 72;
    // TIFF resolutions are fractions; written as plain numbers they are not read, so it is a screen's.
    expect(await inches(writeTiff(crop(grey, 100)))).toBeCloseTo(grey.width / 96, 1);
    const wide = { width: 4000, height: 10, pixels: Buffer.alloc(40_000, 255) };
    expect(await inches(writePng(wide, { colors: 0 }))).toBeCloseTo(11.7, 1);
  });
});

describe("a picture that is cut short", () => {
  it("is shown as far as it goes, and says so", async () => {
    const losses = new Losses();
    const png = writePng(grey, { colors: 0 });
    const pdf = await pictureToPdf(png.subarray(0, Math.floor(png.length * 0.7)), 10, losses);
    expect(losses.list()).toEqual(["the end of the picture (missing in the file)"]);
    expect((await renderPdfPage(pdf, 1, 1)).length).toBeGreaterThan(100);
    const jpeg = await fixture("letter.jpg");
    const cut = new Losses();
    expect(await renderPdfPage(await pictureToPdf(jpeg.subarray(0, jpeg.length - 3000), 10, cut), 1, 1)).toBeTruthy();
    expect(cut.list()).toHaveLength(1);
  });
});
