import {
  Document,
  FootnoteReferenceRun,
  HeadingLevel,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
} from "docx";
import { describe, expect, it } from "vitest";
import { parseOffice } from "./office.ts";
import { writeZip } from "./testing/zip-writer.ts";
import { checkZip } from "./zip-archive.ts";

const allowance = () => ({ bytes: 64 * 2 ** 20 });
const parseDocx = (bytes: Buffer) => parseOffice(bytes, "docx", allowance());

async function makeGuide(): Promise<Buffer> {
  const row = (cells: string[]) =>
    new TableRow({ children: cells.map((text) => new TableCell({ children: [new Paragraph(text)] })) });
  return Packer.toBuffer(
    new Document({
      title: "Machine guide",
      footnotes: { 1: { children: [new Paragraph("Use gloves for this.")] } },
      sections: [
        {
          children: [
            new Paragraph({ text: "The machine guide", heading: HeadingLevel.TITLE }),
            new Paragraph({ text: "Oil", heading: HeadingLevel.HEADING_1 }),
            new Paragraph({
              children: [
                new TextRun("Change the "),
                new TextRun({ text: "oil", bold: true }),
                new TextRun(" every 500 hours."),
                new FootnoteReferenceRun(1),
              ],
            }),
            new Paragraph({ text: "drain it warm", bullet: { level: 0 } }),
            new Table({ rows: [row(["Part", "Torque"]), row(["Bolt", "12 Nm"])] }),
            new Paragraph({ text: "Filter", heading: HeadingLevel.HEADING_2 }),
            new Paragraph("เปลี่ยนไส้กรองทุก 500 ชั่วโมง"),
            new Paragraph("फ़िल्टर हर ५०० घंटे में बदलें।"),
          ],
        },
      ],
    }),
  );
}

/** A zip archive with one entry; the size it states may be a lie. */
const zip = (name: string, content: Buffer, statedBytes = content.length) => writeZip([{ name, content, statedBytes }]);

describe("reading a Word document", () => {
  it("finds headings, paragraphs, lists, table rows and footnotes, in any script", async () => {
    const { title, blocks } = await parseDocx(await makeGuide());
    expect(title).toBe("Machine guide");
    expect(blocks).toEqual([
      { kind: "heading", level: 0, text: "The machine guide" },
      { kind: "heading", level: 1, text: "Oil" },
      { kind: "paragraph", level: 0, text: "Change the oil every 500 hours." },
      { kind: "paragraph", level: 0, text: "Use gloves for this." },
      { kind: "list-item", level: 0, text: "drain it warm" },
      { kind: "table-row", level: 0, text: "Part | Torque" },
      { kind: "table-row", level: 0, text: "Bolt | 12 Nm" },
      { kind: "heading", level: 2, text: "Filter" },
      { kind: "paragraph", level: 0, text: "เปลี่ยนไส้กรองทุก 500 ชั่วโมง" },
      { kind: "paragraph", level: 0, text: "फ़िल्टर हर ५०० घंटे में बदलें।".normalize("NFC") },
    ]);
  });

  it.each([
    [
      "cut short",
      async () => (await makeGuide()).subarray(0, 3000),
      { kind: "unreadable", reason: "it is damaged or cut short" },
    ],
    [
      "a zip without a document",
      async () => zip("hello.txt", Buffer.from("hello")),
      { kind: "unreadable", reason: "it is damaged or not a Word document" },
    ],
    [
      "something else",
      async () => Buffer.from("Just text."),
      { kind: "unreadable", reason: "it is not a Word document" },
    ],
    ["nearly nothing", async () => Buffer.from("PK"), { kind: "unreadable", reason: "it is not a Word document" }],
    [
      "an old .doc",
      async () => Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(2000)]),
      { kind: "unreadable", reason: "it is in an old Office format (.doc, .xls or .ppt); save it in the present one" },
    ],
    [
      "an encrypted document",
      async () =>
        Buffer.concat([
          Buffer.from("d0cf11e0a1b11ae1", "hex"),
          Buffer.alloc(500),
          Buffer.from("EncryptedPackage", "utf16le"),
          Buffer.alloc(500),
        ]),
      { kind: "password-protected" },
    ],
  ])("refuses a file that is %s", async (_name, content, reason) => {
    await expect(content().then((bytes) => parseDocx(Buffer.from(bytes)))).rejects.toMatchObject({ reason });
  });

  it("refuses damaged content inside a whole archive", async () => {
    const bytes = await makeGuide();
    const middle = bytes.indexOf("word/document.xml") + 60;
    bytes.fill(0xff, middle, middle + 200);
    await expect(parseDocx(bytes)).rejects.toMatchObject({ reason: { kind: "unreadable" } });
  });
});

describe("checking a zip archive", () => {
  it("stops a bomb by what comes out of it, not by what it says", async () => {
    const bomb = zip("word/document.xml", Buffer.alloc(80 * 2 ** 20), 1000);
    expect(bomb.length).toBeLessThan(200_000);
    await expect(checkZip(bomb, allowance())).rejects.toMatchObject({ reason: { kind: "limit", limit: "output" } });
    await expect(parseDocx(bomb)).rejects.toMatchObject({ reason: { kind: "limit", limit: "output" } });
    await expect(checkZip(zip("a", Buffer.alloc(1000)), allowance())).resolves.toBeUndefined();
  });

  it("refuses entries that share their data", async () => {
    const one = zip("a", Buffer.alloc(10 * 2 ** 20));
    const end = one.subarray(-22);
    const entry = one.subarray(end.readUInt32LE(16), -22);
    const copies = Buffer.from(end);
    copies.writeUInt16LE(10, 10);
    const overlapping = Buffer.concat([
      one.subarray(0, end.readUInt32LE(16)),
      ...Array<Buffer>(10).fill(entry),
      copies,
    ]);
    await expect(checkZip(overlapping, allowance())).rejects.toThrow("lie over each other");
  });

  it("refuses directories that point outside the archive", async () => {
    const bytes = zip("a", Buffer.from("hello"));
    bytes.writeUInt32LE(0x7fffffff, bytes.length - 22 + 16);
    await expect(checkZip(bytes, allowance())).rejects.toMatchObject({ reason: { kind: "unreadable" } });
  });
});
