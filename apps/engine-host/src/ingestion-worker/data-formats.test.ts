import { describe, expect, it } from "vitest";
import { readLimits } from "../ingestion/reading-queue.ts";
import { makePdf } from "../ingestion/testing/pdf-files.ts";
import { Container } from "./container.ts";
import { Losses } from "./losses.ts";
import { parseCsv } from "./csv.ts";
import { parseJson } from "./json.ts";
import { parseBytes } from "./parse-bytes.ts";
import { parseSourceCode } from "./source-code.ts";
import { decodeText } from "./text-encoding.ts";
import { makePptx } from "./testing/office-files.ts";
import { writeZip } from "./testing/zip-writer.ts";

/** What a container holds, "#" for each heading level, and what was lost. */
async function read(bytes: Buffer, format: "mail" | "mailbox" | "archive", limits = readLimits) {
  const losses = new Losses();
  const document = await parseBytes(bytes, format, new Container(limits, losses));
  const lines: string[] = [];
  for await (const { kind, level, text } of document.blocks) {
    lines.push(kind === "heading" ? `${"#".repeat(level)} ${text}` : text);
  }
  return { title: document.title, lines, losses: losses.list() };
}

describe("tables of values", () => {
  it.each([
    ["commas", 'Name,Note\n"Bolt, long","says ""hi""\nand more"\nNut,\n'],
    ["semicolons", 'Name;Note\r\nBolt, long;"says ""hi""\r\nand more"\r\nNut;\r\n'],
    ["tabs", 'Name\tNote\nBolt, long\t"says ""hi""\nand more"\nNut\t\n'],
  ])("reads values separated by %s", (_name, text) => {
    expect(parseCsv(text).map((block) => block.text)).toEqual([
      "A1:B3",
      "Name | Note",
      'Bolt, long | says "hi" and more',
      "Nut",
    ]);
  });

  it("reads the encodings of older programs, and a quote that never ends", () => {
    const lines = parseCsv(decodeText(Buffer.from("Größe;Maß\nM;12\n", "latin1"))).map((block) => block.text);
    expect(lines).toEqual(["A1:B2", "Größe | Maß", "M | 12"]);
    expect(parseCsv('a,"b\nc,d').map((block) => block.text)).toEqual(["A1:B2", 'a | "b', "c | d"]);
  });
});

describe("JSON", () => {
  it("reads records as lines for people", () => {
    const value = {
      name: "Depot",
      open: true,
      empty: null,
      tags: ["a", "b"],
      staff: [{ id: 1, home: { city: "Köln" } }, { id: 2 }],
    };
    expect(parseJson(JSON.stringify(value))).toEqual([
      { kind: "paragraph", level: 0, text: "name: Depot\nopen: true\ntags: a, b" },
      { kind: "heading", level: 1, text: "staff" },
      { kind: "paragraph", level: 0, text: "id: 1\nhome.city: Köln" },
      { kind: "paragraph", level: 0, text: "id: 2" },
    ]);
  });

  it("reads JSON Lines, a broken line as text", () => {
    const lines = Array.from({ length: 20 }, (_, i) => `{"n":${i}}`);
    lines[7] = '{"n": broken';
    expect(parseJson(`\ufeff${lines.join("\n")}\n`).map((block) => block.text)).toEqual(
      lines.map((line, i) => (i === 7 ? line : `n: ${i}`)),
    );
  });

  it("reads what is not quite JSON as text, and refuses absurd nesting", () => {
    expect(parseJson('// a comment\n{\n  "a": 1,\n}')[0]).toMatchObject({ kind: "code" });
    expect(() => parseJson("[".repeat(5000) + "]".repeat(5000))).toThrow("nests deeper");
    expect(() => parseJson('{"a":'.repeat(200_000) + "1" + "}".repeat(200_000))).toThrow("nests deeper");
  });
});

describe("source code", () => {
  it("is cut between its definitions", () => {
    const code = "import x\n\ndef one():\n    a = 1\n\n    return a\n\n\ndef two():\n    pass\n";
    expect(parseSourceCode(code).map((block) => block.text)).toEqual([
      "import x",
      "def one():\n    a = 1\n\n    return a",
      "def two():\n    pass",
    ]);
  });
});

const mail = (subject: string, text: string, more = "") =>
  `From: =?utf-8?B?SsO8cmdlbg==?= <j@example.org>\r\nTo: Ann <ann@example.org>, bob@example.org\r\nSubject: ${subject}\r\n` +
  `Date: Tue, 03 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n${more || "Content-Type: text/plain; charset=utf-8\r\n"}\r\n${text}\r\n`;

describe("mail", () => {
  const head =
    "From: Jürgen <j@example.org>\nTo: Ann <ann@example.org>, bob@example.org\nDate: 2026-03-03T09:00:00.000Z";

  it("reads head, text and attachments", async () => {
    const pptx = makePptx([{ title: "Plan", paragraphs: ["The roof first"] }]).toString("base64");
    const parts = [
      'Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<h1>Gr=FC=DFe</h1><p>See the plan.</p><img src="http://127.0.0.1:1/x.png">',
      `Content-Type: application/octet-stream; name="plan.pptx"\r\nContent-Disposition: attachment; filename="plan.pptx"\r\nContent-Transfer-Encoding: base64\r\n\r\n${pptx}`,
      'Content-Type: application/x-thing; name="tool.exe"\r\nContent-Disposition: attachment; filename="tool.exe"\r\n\r\nMZ',
    ];
    const body = `${parts.map((part) => `--b\r\n${part}\r\n`).join("")}--b--`;
    const text = mail("=?utf-8?Q?The_caf=C3=A9?=", body, "Content-Type: multipart/mixed; boundary=b\r\n");
    expect(await read(Buffer.from(text), "mail")).toEqual({
      title: "The café",
      lines: ["# The café", head, "## Grüße", "See the plan.", "## plan.pptx", "### Slide 1: Plan", "The roof first"],
      losses: ["tool.exe (of a type that can't be read)"],
    });
  });

  it("reads a mailbox mail by mail", async () => {
    const text =
      `From j@example.org Tue Mar  3 10:00:00 2026\n${mail("One", "First.\r\n\r\n>From here on.")}\n` +
      `From j@example.org Tue Mar  3 10:00:00 2026\n${mail("Big", "x".repeat(20_000))}\n` +
      `From j@example.org Tue Mar  3 10:00:00 2026\n${mail("Two", "Second.\r\nFrom nobody in particular.")}`;
    const { lines, losses } = await read(Buffer.from(text), "mailbox", { ...readLimits, fileBytes: 10_000 });
    expect(lines).toEqual([
      "# One",
      head,
      "First.",
      "From here on.",
      "# Two",
      head,
      "Second.\nFrom nobody in particular.",
    ]);
    expect(losses).toEqual(["mail 2 (too large)"]);
    await expect(read(Buffer.from("no mailbox"), "mailbox")).rejects.toMatchObject({ reason: { kind: "unreadable" } });
  });
});

describe("archives", () => {
  it("reads the files in them, and in archives in them, and says what it could not read", async () => {
    const inner = writeZip([{ name: "deep/page.html", content: "<h2>Door</h2><p>It is green.</p>" }]);
    const bytes = writeZip([
      { name: "b/report.pdf", content: Buffer.from(await makePdf(["A PDF inside."])) },
      { name: "a.csv", content: "Part,Nm\nBolt,12\n" },
      { name: "b/", content: "" },
      { name: "c.zip", content: inner },
      { name: "d.docx", content: "no Word document" },
      { name: "e.exe", content: "MZ" },
      { name: "f.txt", content: "secret", encrypted: true },
      { name: "__MACOSX/._a.csv", content: "x" },
    ]);
    expect(await read(bytes, "archive")).toEqual({
      title: null,
      lines: [
        ...["# a.csv", "### A1:B2", "Part | Nm", "Bolt | 12"],
        ...["# b/report.pdf", "A PDF inside."],
        ...["# c.zip", "## deep/page.html", "#### Door", "It is green."],
      ],
      losses: [
        "d.docx (it is not a Word document)",
        "e.exe (of a type that can't be read)",
        "f.txt (protected by a password)",
      ],
    });
    const none = writeZip([{ name: "e.exe", content: "MZ" }]);
    await expect(read(none, "archive")).rejects.toMatchObject({ reason: { kind: "unreadable" } });
  });

  it("stops at a limit on everything in it together", async () => {
    const bomb = writeZip([{ name: "a.txt", content: "x".repeat(3 << 20) }]);
    const nested = writeZip([
      { name: "1.zip", content: bomb },
      { name: "2.zip", content: bomb },
    ]);
    const limits = { ...readLimits, unpackedBytes: 4 << 20 };
    await expect(read(nested, "archive", limits)).rejects.toMatchObject({ reason: { kind: "limit" } });
  });
});
