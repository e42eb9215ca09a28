import { Parser } from "htmlparser2";
import type { LooseBlock } from "./block.ts";
import { ParseFailure } from "./parse-failure.ts";
import { cleanText } from "./text-encoding.ts";

export interface HtmlDocument {
  /** The page's `<title>`, else its first `<h1>`. */
  title: string | null;
  blocks: LooseBlock[];
}

/** Never shown to a reader, or not the document's own text (menus, side columns, site footers). */
const dropped = new Set(
  "script style noscript template head nav aside footer iframe object embed svg math canvas audio video select button textarea datalist dialog".split(
    " ",
  ),
);
const paragraphs = new Set(
  "address article blockquote body caption center dd details div dl dt fieldset figcaption figure form header hgroup html legend main menu ol p section summary table tbody td tfoot th thead tr ul".split(
    " ",
  ),
);
const voidElements = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
/** Elements nested deeper than this are taken as text of the element at this depth. */
const maxDepth = 1000;
/** No page for people nests this deep, and the HTML parser's time grows with the square of it. */
const refusedDepth = 10_000;

type Region = "body" | "article" | "main";

/**
 * Reads the text of a web page: its `<main>` if it has one, else its `<article>`s, else its body, without scripts, menus,
 * side columns, footers and what is hidden. Nothing that the page refers to is loaded.
 * @param xhtml elements may close themselves (`<a id="x"/>`), as in books
 */
export function parseHtml(source: string, { xhtml = false } = {}): HtmlDocument {
  const collector = new Collector();
  const parser = new Parser(
    {
      onopentag: (name, attributes) => collector.open(name, attributes),
      onclosetag: (name) => collector.close(name),
      ontext: (text) => collector.text(text),
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true, recognizeSelfClosing: xhtml },
  );
  parser.write(source);
  parser.end();
  return collector.result();
}

/** The encoding a page declares in its first kilobyte. */
export function declaredCharset(bytes: Uint8Array): string | null {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  return /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(head)?.[1] ?? null;
}

class Collector {
  readonly #blocks: (LooseBlock & { region: Region })[] = [];
  readonly #open: { name: string; dropped: boolean; region: Region }[] = [];
  #depth = 0;
  #droppedDepth = 0;
  #inTitle = false;
  #title = "";
  #text = "";
  #kind: LooseBlock["kind"] = "paragraph";
  #level = 0;
  #preformatted = 0;
  #row: string[] | null = null;

  open(name: string, attributes: Record<string, string>): void {
    const parent = this.#open.at(-1);
    if (name === "title" && this.#title === "" && parent?.name !== "svg") this.#inTitle = true;
    if (name === "br") this.text("\n", true);
    if (name === "hr") this.#flush();
    if (name === "img" && this.#droppedDepth === 0 && attributes["alt"]) this.text(` ${attributes["alt"]} `);
    if (voidElements.has(name)) return;
    if (++this.#depth > refusedDepth) throw new ParseFailure({ kind: "limit", limit: "output" });
    if (this.#depth > maxDepth) return;
    const outer = parent?.region ?? "body";
    const region = outer === "main" ? outer : (regionOf(name, attributes) ?? outer);
    const entry = { name, dropped: (dropped.has(name) && !isNote(attributes)) || isHidden(attributes), region };
    if (!entry.dropped && this.#droppedDepth === 0) this.#begin(name);
    this.#open.push(entry);
    if (entry.dropped) this.#droppedDepth++;
  }

  close(name: string): void {
    if (name === "title") this.#inTitle = false;
    // htmlparser2 closes every element, in order. Those beyond maxDepth were not noted.
    if (voidElements.has(name) || this.#depth-- > maxDepth) return;
    const entry = this.#open.at(-1);
    if (!entry) return;
    if (!entry.dropped && this.#droppedDepth === 0) this.#end(name);
    this.#open.pop();
    if (entry.dropped) this.#droppedDepth--;
  }

  text(text: string, breaks = false): void {
    if (this.#inTitle) this.#title += text;
    else if (this.#droppedDepth === 0) {
      this.#text += this.#preformatted > 0 || breaks ? text : text.replace(/\s+/g, " ");
    }
  }

  result(): HtmlDocument {
    this.#flush();
    const region = (["main", "article"] as const).find((wanted) => this.#blocks.some((b) => b.region === wanted));
    const chosen = this.#blocks.filter((block) => region === undefined || block.region === region);
    const blocks = chosen.map(({ kind, level, text }) => ({ kind, level, text }));
    const title = cleanText(this.#title).replace(/\s+/g, " ").trim();
    return { title: title || (blocks.find((block) => block.kind === "heading")?.text ?? null), blocks };
  }

  #begin(name: string): void {
    const heading = /^h([1-6])$/.exec(name);
    // A table or a heading inside a table row: the outer table only arranges the page.
    if (this.#row && (name === "table" || heading)) {
      this.#text = [...this.#row, this.#text].filter((cell) => cell.trim() !== "").join(" | ");
      this.#row = null;
      this.#flush();
    }
    if (this.#row) {
      // Inside a table row everything is text of its cells.
      if (name === "td" || name === "th") this.#text = "";
      else if (paragraphs.has(name) || name === "li") this.#text += " ";
      return;
    }
    if (name === "tr") {
      this.#flush();
      this.#row = [];
    } else if (heading) {
      this.#flush();
      this.#kind = "heading";
      this.#level = Number(heading[1]);
    } else if (name === "li") {
      this.#flush();
      this.#kind = "list-item";
    } else if (name === "pre") {
      this.#flush();
      this.#kind = "code";
      this.#preformatted++;
    } else if (paragraphs.has(name) && !(this.#kind === "list-item" && this.#text.trim() === "")) this.#flush();
  }

  #end(name: string): void {
    if (this.#row) {
      if (name === "td" || name === "th") this.#row.push(this.#text.replace(/\s+/g, " ").trim());
      if (name !== "tr") return;
      const text = this.#row.join(" | ");
      this.#row = null;
      this.#text = /[^\s|]/.test(text) ? text : "";
      this.#kind = "table-row";
      this.#flush();
    } else if (name === "pre") {
      this.#flush();
      this.#preformatted = Math.max(0, this.#preformatted - 1);
    } else if (paragraphs.has(name) || name === "li" || /^h[1-6]$/.test(name)) this.#flush();
  }

  #flush(): void {
    const raw = cleanText(this.#text);
    const text =
      this.#kind === "code"
        ? raw.replace(/^\n+|\s+$/g, "")
        : raw
            .replace(/[^\S\n]+/g, " ")
            .replace(/ ?\n ?/g, "\n")
            .trim();
    const oneLine = this.#kind === "heading" ? text.replaceAll("\n", " ") : text;
    const region = this.#open.at(-1)?.region ?? "body";
    if (oneLine !== "") this.#blocks.push({ kind: this.#kind, level: this.#level, text: oneLine, region });
    this.#text = "";
    this.#kind = "paragraph";
    this.#level = 0;
  }
}

function regionOf(name: string, attributes: Record<string, string>): Region | null {
  if (name === "main" || attributes["role"] === "main") return "main";
  return name === "article" ? "article" : null;
}

/** Footnotes of books stand in `<aside epub:type="footnote">`. */
function isNote(attributes: Record<string, string>): boolean {
  return "epub:type" in attributes;
}

function isHidden(attributes: Record<string, string>): boolean {
  if ("hidden" in attributes || attributes["aria-hidden"] === "true") return true;
  if (/^(?:navigation|complementary|contentinfo|search)$/.test(attributes["role"] ?? "")) return true;
  return /(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(attributes["style"] ?? "");
}
