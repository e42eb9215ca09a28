import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LooseBlock, ParsedDocument } from "./block.ts";
import { parseEpub } from "./epub.ts";
import { type OfficeFormat, parseOffice } from "./office.ts";
import { makeEpub, makeOpenDocument, makePptx, makeXlsx } from "./testing/office-files.ts";
import { writeZip } from "./testing/zip-writer.ts";
import { parseXlsx } from "./xlsx.ts";

const allowance = () => ({ bytes: 64 * 2 ** 20 });
const office = async (bytes: Buffer, format: OfficeFormat) => linesOf(await parseOffice(bytes, format, allowance()));

/** One line for each block: "#" for each heading level, "§" where a section starts. */
async function linesOf({ blocks }: ParsedDocument): Promise<string[]> {
  const lines: string[] = [];
  for await (const block of blocks) lines.push(lineOf(block));
  return lines;
}

function lineOf({ kind, level, text, startsSection }: LooseBlock): string {
  const mark = { heading: `${"#".repeat(level)} `, paragraph: "", "list-item": "- ", "table-row": "", code: "" }[kind];
  return `${startsSection ? "§ " : ""}${mark}${text}`;
}

describe("presentations", () => {
  it("reads each slide as a section with its number, title, text, table and speaker notes", async () => {
    const bytes = makePptx([
      { title: "Budget & plan", paragraphs: ["Money comes in spring", "ค่าใช้จ่าย"], notes: "Mention the bank" },
      {},
      { table: [["Item", "Price"], ["Bolt", "12"]] }, // prettier-ignore
    ]);
    expect(await office(bytes, "pptx")).toEqual([
      "§ # Slide 1: Budget & plan",
      "Money comes in spring",
      "ค่าใช้จ่าย",
      "Mention the bank",
      "§ # Slide 3",
      "Item | Price",
      "Bolt | 12",
    ]);
  });

  it("reads OpenDocument slides", async () => {
    const frame = (kind: string, text: string) =>
      `<draw:frame presentation:class="${kind}"><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame>`;
    const notes = `<presentation:notes>${frame("notes", "Say hello")}</presentation:notes>`;
    const body = `<draw:page draw:name="page1">${frame("title", "Welcome")}${frame("outline", "Alpha")}${notes}</draw:page>
      <draw:page draw:name="page2">${frame("outline", "Beta")}</draw:page>`;
    const lines = await office(makeOpenDocument("presentation", body, "Talk"), "odp");
    expect(lines).toEqual(["§ # Slide 1: Welcome", "Alpha", "Say hello", "§ # Slide 2", "Beta"]);
  });
});

describe("spreadsheets", () => {
  const cell = (ref: string, value: string | number, style = 0) => `<c r="${ref}" s="${style}"><v>${value}</v></c>`;
  const text = (ref: string, value: string) => `<c r="${ref}" t="inlineStr"><is><t>${value}</t></is></c>`;

  it("reads the sheets in their order, with the values that people see", async () => {
    const bytes = makeXlsx({
      formats: [0, 14, 9, 22, 20, 'd"."mmm yyyy', '#,##0.00 "days"', "[h]:mm", "[Red]0.0%"],
      strings: "<si><t>Name</t></si><si><r><t>Rich </t></r><r><t>text</t></r><rPh><t>reading</t></rPh></si>",
      sheets: [
        {
          name: "Costs & more",
          rows:
            `<row r="1"><c r="A1" t="s"><v>0</v></c>${text("B1", "Since")}${text("C1", "Share")}</row>` +
            `<row r="2"><c r="A2" t="s"><v>1</v></c>${cell("B2", 46_082, 1)}${cell("C2", 0.15, 2)}</row>` +
            `<row r="3">${text("A3", "Bolt")}${cell("C3", 0.1 + 0.2)}<c r="D3" t="b"><v>1</v></c><c r="E3" t="e"><v>#DIV/0!</v></c></row>` +
            `<row r="7">${cell("B7", 46_082.604166666664, 3)}${cell("C7", 0.25, 4)}${cell("D7", 46_082, 5)}${cell("E7", 3, 6)}${cell("F7", 1.5, 7)}${cell("G7", 0.5, 8)}</row>`,
        },
        { name: "Empty", rows: "" },
        { name: "Hidden", hidden: true, rows: `<row><c><v>7</v></c><c t="str"><f>A1</f><v>seven</v></c></row>` },
      ],
    });
    expect(await linesOf(await parseXlsx(bytes, allowance()))).toEqual([
      "§ # Costs & more",
      "## A1:E3",
      "Name | Since | Share",
      "Rich text | 2026-03-01 | 15%",
      "Bolt | | 0.3 | TRUE | #DIV/0!",
      "## B7:G7",
      "2026-03-01 14:30 | 06:00 | 2026-03-01 | 3 | 36:00 | 50%",
      "§ # Hidden",
      "## A1:B1",
      "7 | seven",
    ]);
    const old = makeXlsx({
      formats: [14],
      date1904: true,
      sheets: [{ name: "Mac", rows: `<row>${cell("A1", 44_620)}</row>` }],
    });
    expect(await linesOf(await parseXlsx(old, allowance()))).toContain("2026-03-01");
  });

  it("repeats the header row over each group of rows and names the cells of the group", async () => {
    const row = (i: number) => `<row r="${i}">${text(`B${i}`, `Part number ${i}`)}${cell(`C${i}`, i * 10)}</row>`;
    const rows = `<row r="1">${text("B1", "Part")}${text("C1", "Torque")}</row>${Array.from({ length: 120 }, (_, i) => row(i + 2)).join("")}`;
    const lines = await linesOf(await parseXlsx(makeXlsx({ sheets: [{ name: "Parts", rows }] }), allowance()));
    const ranges = lines.filter((line) => line.startsWith("## "));
    expect(ranges.length).toBeGreaterThan(2);
    expect(ranges[0]).toMatch(/^## B1:C\d+$/);
    expect(ranges.at(-1)).toMatch(/^## B\d+:C121$/);
    expect(lines.filter((line) => line === "Part | Torque")).toHaveLength(ranges.length);
    for (let i = 2; i < 122; i++)
      expect(lines.filter((line) => line === `Part number ${i} | ${i * 10}`)).toHaveLength(1);
  });

  it("reads OpenDocument sheets, empty repeated rows and columns left out", async () => {
    const cells = (...values: string[]) =>
      values.map((value) => `<table:table-cell><text:p>${value}</text:p></table:table-cell>`);
    const empty =
      '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>';
    const body = `<table:table table:name="Tools"><table:table-row>${cells("Tool", "Room").join("")}</table:table-row>${empty}
      <table:table-row><table:table-cell/>${cells("Saw").join("")}</table:table-row></table:table>`;
    expect(await office(makeOpenDocument("spreadsheet", body), "ods")).toEqual([
      "§ # Tools",
      "## A1:B1",
      "Tool | Room",
      "## B5",
      "Saw",
    ]);
  });

  it("refuses what is no workbook", async () => {
    const zip = writeZip([{ name: "a.txt", content: "hello" }]);
    await expect(parseXlsx(zip, allowance())).rejects.toMatchObject({ reason: { kind: "unreadable" } });
    const locked = Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.from("EncryptedPackage", "utf16le")]);
    await expect(parseXlsx(locked, allowance())).rejects.toMatchObject({ reason: { kind: "password-protected" } });
    const outside = makeXlsx({ sheets: [{ name: "S", rows: `<row r="1">${cell("XFE1", 1)}</row>` }] });
    const { blocks } = await parseXlsx(outside, allowance());
    await expect(linesOf({ title: null, blocks })).rejects.toMatchObject({ reason: { kind: "unreadable" } });
  });
});

describe("texts and books", () => {
  it("reads an OpenDocument text with headings, footnotes, lists and tables", async () => {
    const body = `<text:h text:outline-level="1">Oil</text:h><text:p>Change it<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>Use gloves</text:p></text:note-body></text:note> warm.</text:p>
      <table:table table:name="T"><table:table-row><table:table-cell><text:p>Bolt</text:p></table:table-cell><table:table-cell><text:p>12 Nm</text:p></table:table-cell></table:table-row></table:table>`;
    const bytes = makeOpenDocument("text", body, "Machine guide");
    const document = await parseOffice(bytes, "odt", allowance());
    expect(document.title).toBe("Machine guide");
    expect(await linesOf(document)).toEqual(["# Oil", "Change it warm.", "Use gloves", "Bolt | 12 Nm"]);
    const locked = makeOpenDocument("text", body, "", [
      {
        name: "META-INF/manifest.xml",
        content: "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>",
      },
    ]);
    await expect(office(locked, "odt")).rejects.toMatchObject({ reason: { kind: "password-protected" } });
  });

  it("reads RTF in any code page", async () => {
    const rtf = String.raw`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\pard Gr\'fc\'dfe aus K\u246?ln \u3588?\par\trowd\cellx1000\cellx2000\intbl Bolt\cell 12\cell\row\pard End.\par}`;
    expect(await office(Buffer.from(rtf), "rtf")).toEqual(["Grüße aus Köln ค", "Bolt | 12", "End."]);
    await expect(office(Buffer.from("just text"), "rtf")).rejects.toMatchObject({ reason: { kind: "unreadable" } });
  });

  it("reads a book chapter by chapter", async () => {
    const bytes = makeEpub("The sea", [
      "<h1><a id='x'/>One</h1><p>It was <b>dark</b>.</p><aside epub:type='footnote'><p>A note.</p></aside>",
      "<h1>Two</h1><ul><li>boats</li></ul><script>never()</script>",
    ]);
    const document = await parseEpub(bytes, allowance());
    expect(document.title).toBe("The sea");
    expect(await linesOf(document)).toEqual(["§ # One", "It was dark.", "A note.", "§ # Two", "- boats"]);
    await expect(parseEpub(writeZip([]), allowance())).rejects.toMatchObject({ reason: { kind: "unreadable" } });
  });
});

describe("files of other programs", () => {
  const fixture = (name: string) => readFile(join(import.meta.dirname, "fixtures", name));

  it("reads a workbook of ExcelJS", async () => {
    const lines = await linesOf(await parseXlsx(await fixture("budget.xlsx"), allowance()));
    expect(lines.slice(0, 4)).toEqual([
      "§ # Budget 2026",
      expect.stringMatching(/^## A1:F\d+$/),
      "Item | Due | Amount | Share | | Total",
      "Roof section 1 | 2026-03-01 | 1250.5 | 25% | | 50800",
    ]);
    expect(lines.slice(-4)).toEqual([
      "Roof section 40 | 2026-03-12 | 1289.5 | 25%",
      "§ # หมายเหตุ",
      "## B3",
      "ตรวจสอบหลังคา",
    ]);
  });

  it("reads a presentation of PptxGenJS", async () => {
    expect(await office(await fixture("roof.pptx"), "pptx")).toEqual([
      ...["§ # Slide 1", "Roof project", "Mention the scaffold permit. 1"],
      ...["§ # Slide 2", "- Remove the old tiles", "- Fit the membrane", "Part | Euro", "Tiles | 12,400", "2"],
    ]);
  });

  it("reads a book and an RTF document of Pandoc", async () => {
    const book = await parseEpub(await fixture("guide.epub"), allowance());
    const lines = await linesOf(book);
    expect(book.title).toBe("Machine guide");
    const text = ["Part | Torque", "Bolt | 12 Nm", "Grüße, เปลี่ยนไส้กรอง, फ़िल्टर।".normalize("NFC")];
    for (const line of ["§ # Oil", "- drain it warm", "## Filter", ...text]) expect(lines).toContain(line);
    const rtf = await office(await fixture("guide.rtf"), "rtf");
    for (const line of ["Change the oil every 500 hours.", ...text]) expect(rtf).toContain(line);
  });
});
