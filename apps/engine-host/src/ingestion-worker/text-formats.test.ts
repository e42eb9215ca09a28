import { describe, expect, it } from "vitest";
import { declaredCharset, parseHtml } from "./html.ts";
import { parseMarkdown } from "./markdown.ts";
import { parsePlainText } from "./plain-text.ts";
import { decodeText } from "./text-encoding.ts";

const utf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(text, "utf16le");
  return bigEndian ? bytes.swap16() : bytes;
};

describe("text encoding", () => {
  it.each([
    ["UTF-8", Buffer.from("Grüße, ประเทศไทย, हिन्दी")],
    ["UTF-8 with a mark", Buffer.from("\ufeffGrüße, ประเทศไทย, हिन्दी")],
    ["UTF-16 LE with a mark", utf16("\ufeffGrüße, ประเทศไทย, हिन्दी")],
    ["UTF-16 BE with a mark", utf16("\ufeffGrüße, ประเทศไทย, हिन्दी", true)],
  ])("reads %s", (_name, bytes) => {
    expect(decodeText(bytes)).toBe("Grüße, ประเทศไทย, हिन्दी");
  });

  it("tells UTF-16 without a mark by its zero bytes", () => {
    expect(decodeText(utf16("The gate opens at nine."))).toBe("The gate opens at nine.");
    expect(decodeText(utf16("The gate opens at nine.", true))).toBe("The gate opens at nine.");
  });

  it("falls back to windows-1252, or what the file declares", () => {
    expect(decodeText(Buffer.from([0x47, 0x72, 0xfc, 0xdf, 0x65, 0x20, 0x80]))).toBe("Grüße €");
    expect(decodeText(Buffer.from([0xcf, 0xf0, 0xe8]), "windows-1251")).toBe("При");
    expect(decodeText(Buffer.from([0xfc]), "no-such-encoding")).toBe("ü");
  });

  it("refuses binary data", () => {
    expect(() => decodeText(Buffer.from([1, 2, 3, 0, 0, 9, 200, 7]))).toThrow("binary");
    expect(() => decodeText(Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 7) % 256 || 1)))).toThrow("binary");
  });
});

describe("plain text", () => {
  it("keeps line breaks that mean something and joins lines wrapped by a program", () => {
    const wrapped =
      "The museum opens its doors every morning at nine and lets the last\n" +
      "visitors in at half past five, except on the days before a public\n" +
      "holiday.";
    const blocks = parsePlainText(`\r\n${wrapped}\r\n \r\nMain Street 5\nSpringfield\n\n\n- one\n- two`);
    expect(blocks.map((block) => block.text)).toEqual([
      wrapped.replaceAll("\n", " "),
      "Main Street 5\nSpringfield",
      "- one\n- two",
    ]);
  });
});

describe("Markdown", () => {
  it("reads headings, paragraphs, lists, tables and code as text for people", () => {
    const { title, blocks } = parseMarkdown(`---
title: "Expenses policy"
author: x
---
# Expenses <!-- hidden -->

A night in a *hotel* costs at most **140 euro**
per person, see [the form](https://example.org/form_(1)) or \`form.xlsx\`.

Meals
-----
* breakfast ![egg](egg.png)
* [ ] lunch
  with drinks
1. first

| Country | Limit |
|:--------|------:|
| France  | 45 \\| 50 |

> Quoted __text__ stays.

\`\`\`sh
# not a heading
\`\`\`
snake_case_name and 2 * 3 * 4 stay.
`);
    expect(title).toBe("Expenses policy");
    expect(blocks).toEqual([
      { kind: "heading", level: 1, text: "Expenses" },
      {
        kind: "paragraph",
        level: 0,
        text: "A night in a hotel costs at most 140 euro per person, see the form or form.xlsx.",
      },
      { kind: "heading", level: 2, text: "Meals" },
      { kind: "list-item", level: 0, text: "breakfast egg" },
      { kind: "list-item", level: 0, text: "lunch with drinks" },
      { kind: "list-item", level: 0, text: "1. first" },
      { kind: "table-row", level: 0, text: "Country | Limit" },
      { kind: "table-row", level: 0, text: "France | 45 | 50" },
      { kind: "paragraph", level: 0, text: "Quoted text stays." },
      { kind: "code", level: 0, text: "# not a heading" },
      { kind: "paragraph", level: 0, text: "snake_case_name and 2 * 3 * 4 stay." },
    ]);
  });

  it("takes the first heading for the title and survives an unclosed code fence", () => {
    const { title, blocks } = parseMarkdown("# Guide\n```\ncode\n\nmore");
    expect(title).toBe("Guide");
    expect(blocks.at(-1)).toEqual({ kind: "code", level: 0, text: "code\n\nmore" });
  });
});

describe("HTML", () => {
  it("drops scripts, menus, side columns, footers and what is hidden, and keeps headings, lists and tables", () => {
    const { title, blocks } = parseHtml(`<!doctype html><html><head><title>Museum &amp; shop</title>
      <style>p { color: red }</style></head><body>
      <nav><a href="/">Home</a></nav><aside>Advertisement</aside>
      <h1>Questions</h1>
      <script>document.write("never")</script><noscript>Switch it on</noscript>
      <p>May I bring a <b>dog</b>?<br>Only guide dogs.</p>
      <p hidden>secret one</p><div style="display: none">secret two</div><div aria-hidden="true">secret three</div>
      <ul><li><p>First item</p></li><li>Second&nbsp;item<ul><li>Nested</li></ul></li></ul>
      <table><tr><th>Ticket</th><th>Price</th></tr><tr><td><p>Adult</p></td><td>12&euro;</td></tr></table>
      <pre>  two  blanks
next</pre>
      <img src="x.png" alt="A map">
      <iframe src="http://127.0.0.1:1/"></iframe><template>t</template><svg><title>icon</title><text>x</text></svg>
      <footer>Imprint</footer></body></html>`);
    expect(title).toBe("Museum & shop");
    expect(blocks.map(({ kind, text }) => [kind, text])).toEqual([
      ["heading", "Questions"],
      ["paragraph", "May I bring a dog?\nOnly guide dogs."],
      ["list-item", "First item"],
      ["list-item", "Second item"],
      ["list-item", "Nested"],
      ["table-row", "Ticket | Price"],
      ["table-row", "Adult | 12€"],
      ["code", "  two  blanks\nnext"],
      ["paragraph", "A map"],
    ]);
  });

  it("prefers the main part, and reads layout tables as text", () => {
    const main = parseHtml(
      "<body>Outside<main><article><h1>In</h1><p>Inside</p></article></main><article>No</article>",
    );
    expect(main.blocks.map((block) => block.text)).toEqual(["In", "Inside"]);
    const layout = parseHtml("<table><tr><td>Left<table><tr><td>a</td><td>b</td></tr></table></td></tr></table>");
    expect(layout.blocks.map((block) => block.text)).toEqual(["Left", "a | b"]);
  });

  it("reads deeply nested and unclosed elements, and gives up on absurd nesting", () => {
    const { blocks } = parseHtml(`${"<div>".repeat(5000)}deep<p>open <b>ended`);
    expect(blocks.map((block) => block.text).join(" ")).toMatch(/deep.*open ended/s);
    expect(() => parseHtml("<div>".repeat(1_000_000))).toThrow("limit");
  });

  it("finds the declared encoding", () => {
    expect(declaredCharset(Buffer.from('<meta http-equiv="x" content="text/html; charset=iso-8859-2">'))).toBe(
      "iso-8859-2",
    );
    expect(declaredCharset(Buffer.from('<meta charset="windows-1251">'))).toBe("windows-1251");
    expect(declaredCharset(Buffer.from("<p>charset=none"))).toBeNull();
  });
});
