import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { degrees, PDFDocument, type PDFFont, type PDFPage, StandardFonts } from "pdf-lib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boxesOf } from "../ingestion/page-view.ts";
import type { PageContent } from "../store/store.ts";
import type { Block } from "./block.ts";
import { Losses } from "./losses.ts";
import { parsePdf, renderPdfPage } from "./pdf.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-pdf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Draws lines of text from the top of a page down, as a word processor does. */
function write(page: PDFPage, font: PDFFont, x: number, top: number, lines: string[], size = 11, leading = 14): void {
  lines.forEach((line, i) => page.drawText(line, { x, y: top - i * leading, size, font }));
}

async function makePdf(draw: (document: PDFDocument, font: PDFFont, bold: PDFFont) => void): Promise<string> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  const bold = await document.embedFont(StandardFonts.HelveticaBold);
  draw(document, font, bold);
  const path = join(folder, `${Math.random().toString(36).slice(2)}.pdf`);
  await writeFile(path, await document.save());
  return path;
}

async function read(path: string, maxPages = 100): Promise<{ pages: PageContent[]; blocks: Block[] }> {
  const pages: PageContent[] = [];
  const blocks: Block[] = [];
  for await (const part of parsePdf(path, {
    limits: { pages: maxPages, recognisedPages: 0 },
    recognition: null,
    losses: new Losses(),
  })) {
    pages.push(...part.pages);
    blocks.push(...part.blocks);
  }
  for (const block of blocks) {
    const under = block.spans.map((span) => pages[span.page - 1]!.text.slice(span.start, span.end)).join("");
    expect(under).toBe(block.text);
  }
  return { pages, blocks };
}

const summary = (blocks: Block[]) => blocks.map(({ kind, level, text }) => [kind, level, text.trim()]);

describe("reading a PDF", () => {
  it("finds headings, paragraphs, list items and table rows", async () => {
    const path = await makePdf((document, font, bold) => {
      const page = document.addPage([595, 842]);
      write(page, bold, 50, 780, ["Visitor handbook"], 24);
      write(page, bold, 50, 740, ["Opening hours"], 16);
      write(page, font, 50, 715, [
        "The gate opens at 9:00 every morning except Mondays and it closes at 18:30 from",
        "October to March. In summer the museum stays open and the desk is mainte-",
        "nance free; a well-known rule, and also a well-",
        "known one for Baden-",
        "Baden and the in- and outside.",
      ]);
      write(page, font, 50, 625, ["A second paragraph begins after a gap."]);
      write(page, font, 60, 600, ["• bring the green badge", "• leave the bag"]);
      const rows = [
        ["Ticket", "Price", "Note"],
        ["Adult", "12 euro", "over 18"],
        ["Child", "5 euro", "under 12"],
      ];
      rows.forEach((row, i) => row.forEach((cell, j) => write(page, font, 60 + j * 150, 560 - i * 16, [cell])));
      write(page, font, 290, 30, ["Page 1"], 9);
    });
    const { pages, blocks } = await read(path);
    expect(summary(blocks)).toEqual([
      ["heading", 1, "Visitor handbook"],
      ["heading", 2, "Opening hours"],
      [
        "paragraph",
        0,
        "The gate opens at 9:00 every morning except Mondays and it closes at 18:30 from October to March. In summer the museum stays open and the desk is maintenance free; a well-known rule, and also a well-known one for Baden-Baden and the in- and outside.",
      ],
      ["paragraph", 0, "A second paragraph begins after a gap."],
      ["list-item", 0, "bring the green badge"],
      ["list-item", 0, "leave the bag"],
      ["table-row", 0, "Ticket | Price | Note"],
      ["table-row", 0, "Adult | 12 euro | over 18"],
      ["table-row", 0, "Child | 5 euro | under 12"],
    ]);
    // A page number is shown with its page, but is no answer to anything.
    expect(pages[0]!.text).toContain("Page 1");
    expect([pages[0]!.width, pages[0]!.height]).toEqual([595, 842]);
  });

  it("reads two columns one after the other, below a heading across the page", async () => {
    const column = (side: string) => Array.from({ length: 12 }, (_, i) => `${side} column line ${i} with some words`);
    const path = await makePdf((document, font, bold) => {
      const page = document.addPage([595, 842]);
      write(page, bold, 50, 780, ["A heading that runs across both of the columns"], 20);
      write(page, font, 50, 740, column("Left"), 10);
      // Not on the same baselines as the left column.
      write(page, font, 310, 735, column("Right"), 10);
      write(
        page,
        font,
        50,
        540,
        ["This line runs across the whole page below the two columns of text above it here."],
        11,
      );
    });
    const { blocks } = await read(path);
    const text = blocks.map((block) => block.text.trim());
    expect(text).toEqual([
      "A heading that runs across both of the columns",
      column("Left").join(" "),
      column("Right").join(" "),
      "This line runs across the whole page below the two columns of text above it here.",
    ]);
  });

  it("joins a paragraph over a page break and leaves running heads out", async () => {
    const path = await makePdf((document, font) => {
      for (const [i, lines] of [
        ["Everything about the pump stands here, and the first page ends in the middle of a"],
        ["sentence about the pump, which is main-"],
        ["tained every year."],
        ["A new one."],
      ].entries()) {
        const page = document.addPage([595, 842]);
        write(page, font, 50, 810, ["Pump manual, version 3"], 9);
        write(page, font, 50, 400, lines);
        write(page, font, 290, 30, [`${i + 1} / 4`], 9);
      }
    });
    const { blocks } = await read(path);
    expect(
      blocks
        .map((block) => block.text)
        .join("")
        .trim(),
    ).toBe(
      "Everything about the pump stands here, and the first page ends in the middle of a sentence about the pump, which is maintained every year.\n\nA new one.",
    );
    expect(blocks.map((block) => block.continues)).toEqual([true, true, false, false]);
  });

  it("puts boxes on the words they belong to", async () => {
    const size = 12;
    let font!: PDFFont;
    const path = await makePdf((document, regular) => {
      font = regular;
      const page = document.addPage([595, 842]);
      write(
        page,
        regular,
        72,
        700,
        ["The red lever stops the pump at once, and the", "green lever starts it."],
        size,
        16,
      );
    });
    const { pages } = await read(path);
    const page = pages[0]!;
    const start = page.text.indexOf("stops the pump");
    const [box, ...others] = boxesOf(page, [{ page: 1, start, end: start + "stops the pump".length }]);
    expect(others).toEqual([]);
    const from = 72 + font.widthOfTextAtSize("The red lever ", size);
    const width = font.widthOfTextAtSize("stops the pump", size);
    // Characters differ in width, so a box cut by their number may be off by a character or two.
    expect(Math.abs(box!.x - from)).toBeLessThan(size);
    expect(Math.abs(box!.width - width)).toBeLessThan(size);
    // The baseline stands at 842 - 700 from the top; the box reaches from above it to a little below.
    expect(box!.y).toBeGreaterThan(842 - 700 - size * 1.3);
    expect(box!.y).toBeLessThan(842 - 700 - size * 0.5);
    expect(box!.y + box!.height).toBeGreaterThan(842 - 700);
    // A sentence over two lines has a box on each.
    const whole = boxesOf(page, [{ page: 1, start: 0, end: page.text.length }]);
    expect(whole).toHaveLength(2);
    expect(whole[1]!.y - whole[0]!.y).toBeCloseTo(16, 0);
    expect(boxesOf(page, [{ page: 2, start: 0, end: 5 }])).toEqual([]);
    // Overlapping spans mark a line once.
    expect(
      boxesOf(page, [
        { page: 1, start: 0, end: 10 },
        { page: 1, start: 5, end: 20 },
      ]),
    ).toHaveLength(1);
  });

  it("reads rotated text in its own direction", async () => {
    const path = await makePdf((document, font) => {
      const page = document.addPage([595, 842]);
      write(page, font, 100, 700, ["Upright text comes first because there is more of it on this page."]);
      page.drawText("Rising first line", { x: 400, y: 100, size: 11, font, rotate: degrees(90) });
      page.drawText("and the second", { x: 414, y: 100, size: 11, font, rotate: degrees(90) });
    });
    const { blocks } = await read(path);
    expect(blocks.map((block) => block.text.trim())).toEqual([
      "Upright text comes first because there is more of it on this page.",
      "Rising first line and the second",
    ]);
  });

  it("keeps the letters of words together that run down the page, and their boxes where they stand", async () => {
    const path = await makePdf((document, font) => {
      const turned = document.addPage([595, 842]);
      turned.setRotation(degrees(90));
      write(turned, font, 100, 700, ["Ottilie filled the millet till illicit lily"]);
      const downwards = document.addPage([595, 842]);
      write(downwards, font, 100, 700, ["Upright text comes first because there is more of it on this page."]);
      downwards.drawText("Ottilie will fill it", { x: 400, y: 600, size: 11, font, rotate: degrees(270) });
    });
    const { pages } = await read(path);
    expect(pages[0]!.text.trim()).toBe("Ottilie filled the millet till illicit lily");
    // The page is 842 wide as it is shown; the text begins 100 from its top and runs down, 142 from the right.
    const [line] = pages[0]!.lines;
    expect(line!.y).toBeCloseTo(100, 0);
    expect(line!.height).toBeGreaterThan(150);
    expect(line!.x + line!.width).toBeGreaterThan(842 - 142);
    expect(line!.x).toBeLessThan(842 - 142);
    expect(pages[1]!.text).toContain("Ottilie will fill it");
    const down = pages[1]!.lines.at(-1)!;
    expect(down.y).toBeCloseTo(842 - 600, 0);
    expect(down.x).toBeGreaterThan(395);
    expect(down.x + down.width).toBeLessThan(412);
  });

  it("gives pages without text, so that page numbers stay true", async () => {
    const path = await makePdf((document, font) => {
      document.addPage([595, 842]);
      write(document.addPage([595, 842]), font, 50, 700, ["On page two."]);
    });
    const { pages, blocks } = await read(path);
    expect(pages.map((page) => page.text.trim())).toEqual(["", "On page two."]);
    expect(blocks[0]!.spans[0]!.page).toBe(2);
  });

  it("draws a page at the asked scale", async () => {
    const path = await makePdf((document, font) => write(document.addPage([300, 200]), font, 20, 100, ["Picture"]));
    const png = Buffer.from(await renderPdfPage(path, 1, 2));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([600, 400]);
    await expect(renderPdfPage(path, 9, 1)).rejects.toThrow();
  });

  it("says what is wrong with a file", async () => {
    const fail = async (name: string, content: Uint8Array | string) => {
      await writeFile(join(folder, name), content);
      return read(join(folder, name)).then(
        () => null,
        (error: unknown) => (error as { reason: unknown }).reason,
      );
    };
    const whole = Buffer.from(await (await PDFDocument.load(await makeSimple())).save({ useObjectStreams: false }));
    expect(await fail("cut.pdf", whole.subarray(0, 60))).toEqual({
      kind: "unreadable",
      reason: "it is damaged or cut short",
    });
    expect(await fail("not.pdf", "Just text")).toEqual({ kind: "unreadable", reason: "it is not a PDF" });
    await expect(read(join(import.meta.dirname, "fixtures/password-secret.pdf"))).rejects.toMatchObject({
      reason: { kind: "password-protected" },
    });
    const long = await makePdf((document) => Array.from({ length: 12 }, () => document.addPage()));
    await expect(read(long, 10)).rejects.toMatchObject({ reason: { kind: "limit", limit: "output" } });
  });
});

async function makeSimple(): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  write(document.addPage([300, 200]), await document.embedFont(StandardFonts.Helvetica), 20, 100, ["Simple"]);
  return document.save();
}
