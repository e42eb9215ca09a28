import type { HostileFile } from "./hostile-file.ts";
import { makeEpub, makeOpenDocument, makePptx, makeXlsx } from "./office-files.ts";
import { packedRepeats, writeZip, type ZipEntry } from "./zip-writer.ts";

const word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const laughs = `<!DOCTYPE lolz [<!ENTITY a0 "lol">${Array.from(
  { length: 30 },
  (_, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`,
).join("")}]>`;
const depth = 1_000_000;

/** Bombs and traps in archives, Office files, mail and data (T-30). */
export function makeHostileArchives(): HostileFile[] {
  const tenGiB = packedRepeats(Buffer.alloc(1 << 20), 10_240);
  const bomb = (name: string, more: ZipEntry[] = []) => writeZip([...more, { name, content: "", packed: tenGiB }]);
  const refused = (name: string, bytes: Buffer): HostileFile => ({ name, bytes, outcome: "refused" });
  const read = (name: string, bytes: Buffer): HostileFile => ({ name, bytes, outcome: "read" });
  const either = (name: string, bytes: Buffer): HostileFile => ({ name, bytes, outcome: "either" });
  const text = (ref: string, value: string) => `<c r="${ref}" t="inlineStr"><is><t>${value}</t></is></c>`;

  return [
    // 10 MB that unpack to 10 GB, where each format keeps its text.
    refused("ratio.docx", bomb("word/document.xml")),
    refused("ratio.xlsx", bomb("xl/workbook.xml")),
    refused(
      "ratio-sheet.xlsx",
      makeXlsx({ sheets: [] }, [{ name: "xl/sharedStrings.xml", content: "", packed: tenGiB }]),
    ),
    refused("ratio.pptx", bomb("ppt/slides/slide1.xml")),
    refused("ratio.odt", bomb("content.xml")),
    refused("ratio.epub", bomb("META-INF/container.xml")),
    refused("ratio.zip", bomb("a.txt")),
    // The directory points to the same packed bytes again and again.
    refused("overlap.docx", overlapping("word/part", ".xml", 5000)),
    refused("overlap.zip", overlapping("part", ".txt", 5000)),
    // Archives in archives: each level 16 times, 10 GB at the bottom.
    refused("42.zip", nestedBombs(tenGiB)),
    refused("nested-10.zip", nested(10)),
    read("nested-3.zip", nested(3)),
    // More entries than any reader wants to look at.
    refused(
      "entries.zip",
      writeZip(Array.from({ length: 65_535 }, (_, i) => ({ name: `${i}.txt`, content: "", stored: true }))),
    ),
    refused(
      "entries.docx",
      writeZip(Array.from({ length: 65_535 }, (_, i) => ({ name: `w/${i}`, content: "", stored: true }))),
    ),
    // Sizes that are not true.
    refused(
      "lying-small.docx",
      writeZip([{ name: "word/document.xml", content: "", packed: tenGiB, statedBytes: 10 }]),
    ),
    read("lying-large.zip", writeZip([{ name: "a.txt", content: "Small after all.", statedBytes: 0xfffffff0 }])),
    refused("lying-directory.zip", lyingDirectory()),
    refused("loop.zip", pointingAtItself()),
    refused("encrypted.zip", writeZip([{ name: "a.txt", content: "secret", encrypted: true }])),
    refused("cut.zip", writeZip([{ name: "a.txt", content: "x".repeat(1000) }]).subarray(0, 60)),
    read("traversal.zip", writeZip([{ name: "../../../etc/cron.d/evil.txt", content: "Just a name." }])),
    // Entities that grow without end.
    either(
      "laughs.docx",
      writeZip(
        wordParts(
          `${laughs}<w:document xmlns:w="${word}"><w:body><w:p><w:r><w:t>&a30;</w:t></w:r></w:p></w:body></w:document>`,
        ),
      ),
    ),
    either(
      "laughs.xlsx",
      makeXlsx({
        sheets: [{ name: "S", rows: `<row r="1">${text("A1", "&a30;")}${text("B1", "x")}</row>` }],
        strings: laughs,
      }),
    ),
    either(
      "laughs.odt",
      writeZip([
        {
          name: "content.xml",
          content: `${laughs}<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">&a30;</office:document-content>`,
        },
      ]),
    ),
    either("laughs.epub", makeEpub("Book", [`${laughs}<p>Before &a30; after</p>`])),
    read("laughs.svg", Buffer.from(`${laughs}<svg xmlns="http://www.w3.org/2000/svg"><text>&a30;</text></svg>`)),
    // Elements nested a million times.
    refused(
      "deep.docx",
      writeZip(wordParts(`<w:document xmlns:w="${word}"><w:body>${"<w:p>".repeat(depth)}</w:body></w:document>`)),
    ),
    refused("deep.xlsx", makeXlsx({ sheets: [{ name: "S", rows: "<row>".repeat(depth) }] })),
    refused("deep.pptx", makePptx([], [{ name: "ppt/slides/slide1.xml", content: "<p:sld>".repeat(depth) }])),
    refused("deep.odt", makeOpenDocument("text", "<text:section>".repeat(depth))),
    refused("deep.epub", makeEpub("Book", ["<div>".repeat(depth)])),
    refused("deep.html", Buffer.from("<div>".repeat(depth))),
    refused("deep.json", Buffer.from("[".repeat(depth) + "]".repeat(depth))),
    either("deep.rtf", Buffer.from(`{\\rtf1 ${"{".repeat(depth)}x${"}".repeat(depth)}}`)),
    either("deep.md", Buffer.from(`${">".repeat(depth)} quoted`)),
    // Sheets that are larger than they look.
    refused(
      "wide.xlsx",
      makeXlsx({ sheets: [{ name: "S", rows: `<row r="1">${"<c><v>1</v></c>".repeat(2 ** 20)}</row>` }] }),
    ),
    read(
      "sparse.xlsx",
      makeXlsx({
        sheets: [
          {
            name: "S",
            rows: `<row r="1">${text("A1", "first")}</row><row r="1048576">${text("XFD1048576", "last")}</row>`,
          },
        ],
      }),
    ),
    refused(
      "shared.xlsx",
      makeXlsx({
        strings: `<si><t>${"word ".repeat(6000)}</t></si>`,
        sheets: [{ name: "S", rows: `<row>${'<c t="s"><v>0</v></c>'.repeat(50)}</row>`.repeat(1000) }],
      }),
    ),
    refused(
      "repeated.ods",
      makeOpenDocument(
        "spreadsheet",
        `<table:table table:name="S"><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row></table:table>`,
      ),
    ),
    refused("wide.csv", Buffer.from(",1".repeat(2 ** 20))),
    read("quotes.csv", Buffer.from(`a,b\n${'"'.repeat(2 ** 20 + 1)}\n${',"""'.repeat(2000)}`)),
    // Mail that nests, and heads without end.
    refused("nested.eml", nestedMail(10_000)),
    either("forwarded.eml", forwardedMail(2000)),
    refused("headers.eml", Buffer.from(`Subject: x\r\n${`X-Long: ${"y".repeat(900)}\r\n`.repeat(5000)}\r\nText`)),
    refused("one-line.mbox", Buffer.from("x".repeat(30 << 20))),
  ];
}

function overlapping(name: string, ending: string, entries: number): Buffer {
  const packed = packedRepeats(Buffer.alloc(1 << 20, "word "), 8);
  return writeZip(
    Array.from({ length: entries }, (_, i) => ({ name: `${name}${i}${ending}`, content: "", packed, overlaps: i > 0 })),
  );
}

function nestedBombs(tenGiB: Buffer): Buffer {
  const wide = (name: string, content: Buffer) =>
    writeZip(Array.from({ length: 16 }, (_, i) => ({ name: `${name}${i}.zip`, content, overlaps: i > 0 })));
  return wide("a", wide("b", writeZip([{ name: "c.txt", content: "", packed: tenGiB }])));
}

function nested(levels: number): Buffer {
  let bytes = writeZip([{ name: "a.txt", content: "At the bottom." }]);
  for (let i = 1; i < levels; i++) bytes = writeZip([{ name: `${i}.zip`, content: bytes }]);
  return bytes;
}

function lyingDirectory(): Buffer {
  const bytes = writeZip([{ name: "a.txt", content: "x" }]);
  bytes.writeUInt16LE(9000, bytes.length - 12);
  return bytes;
}

/** The entry's content is said to be the directory itself. */
function pointingAtItself(): Buffer {
  const bytes = writeZip([{ name: "a.zip", content: "x", stored: true }]);
  const directory = bytes.readUInt32LE(bytes.length - 6);
  bytes.writeUInt32LE(directory, directory + 42);
  return bytes;
}

function wordParts(document: string): ZipEntry[] {
  return [
    { name: "[Content_Types].xml", content: "<Types/>" },
    { name: "word/document.xml", content: document },
  ];
}

function nestedMail(levels: number): Buffer {
  const parts = Array.from(
    { length: levels },
    (_, i) => `--b${i}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`,
  );
  return Buffer.from(`Subject: x\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n${parts.join("")}text`);
}

function forwardedMail(levels: number): Buffer {
  return Buffer.from(
    `${"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n".repeat(levels)}Subject: last\r\n\r\nThe text.`,
  );
}
