import type { LooseBlock } from "./block.ts";
import { cleanText } from "./text-encoding.ts";

/** What a Markdown file holds. `title`: from its front matter or its first heading of level 1. */
export interface MarkdownDocument {
  title: string | null;
  blocks: LooseBlock[];
}

/**
 * Reads Markdown as text for people: headings, paragraphs, list items, table rows ("a | b"), code blocks; the markers of
 * emphasis, links, images and HTML tags are taken away, what they mark stays.
 */
export function parseMarkdown(source: string): MarkdownDocument {
  const lines = cleanText(source).split("\n");
  const blocks: LooseBlock[] = [];
  const frontMatter = readFrontMatter(lines);
  let paragraph: string[] = [];
  let kind: "paragraph" | "list-item" = "paragraph";

  const flush = () => {
    const text = plainInline(joinLines(paragraph));
    if (text !== "") blocks.push({ kind, level: 0, text });
    paragraph = [];
    kind = "paragraph";
  };
  const push = (block: LooseBlock) => {
    flush();
    if (block.text !== "") blocks.push(block);
  };

  for (let i = frontMatter.end; i < lines.length; i++) {
    const line = lines[i]!;
    const fence = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence) {
      const end = closingFence(lines, i + 1, fence);
      push({
        kind: "code",
        level: 0,
        text: lines
          .slice(i + 1, end)
          .join("\n")
          .trimEnd(),
      });
      i = end;
      continue;
    }
    // Quotes are read as the text they quote.
    const content = line.replace(/^\s{0,3}(?:>\s?)+/, "");
    const heading = /^\s{0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/.exec(content);
    if (content.trim() === "") flush();
    else if (heading) push({ kind: "heading", level: heading[1]!.length, text: plainInline(heading[2] ?? "") });
    else if (paragraph.length > 0 && kind === "paragraph" && /^\s{0,3}(?:=+|-+)\s*$/.test(content)) {
      const text = plainInline(joinLines(paragraph));
      paragraph = [];
      push({ kind: "heading", level: content.trim()[0] === "=" ? 1 : 2, text });
    } else if (/^\s{0,3}(?:[-*_]\s*){3,}$/.test(content)) flush();
    else if (/^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/.test(content) && content.includes("|")) flush();
    else if (isTableRow(content, lines[i + 1], blocks.at(-1), paragraph)) {
      push({ kind: "table-row", level: 0, text: tableRow(content) });
    } else if (/^\s*(?:[-*+]|\d{1,9}[.)])\s+/.test(content)) {
      flush();
      kind = "list-item";
      paragraph.push(content.replace(/^\s*(?:[-*+]\s+(?:\[[ xX]\]\s+)?)/, "").trimStart());
    } else if (paragraph.length === 0 && blocks.length > 0 && /^ {4}|^\t/.test(line)) {
      push({ kind: "code", level: 0, text: content.replace(/^ {4}|^\t/, "") });
    } else paragraph.push(content.trimStart());
  }
  flush();
  const firstHeading = blocks.find((block) => block.kind === "heading" && block.level === 1);
  return { title: frontMatter.title ?? firstHeading?.text ?? null, blocks };
}

/** A line break is a space, unless the line ends with two spaces or a backslash. */
function joinLines(lines: string[]): string {
  return lines.reduce((text, line) => {
    const forced = / {2}$|\\$/.test(text);
    return text === "" ? line : text.replace(/(?:\s+|\\)$/, "") + (forced ? "\n" : " ") + line;
  }, "");
}

/** YAML front matter is data about the document, not its text. */
function readFrontMatter(lines: string[]): { title: string | null; end: number } {
  if (lines[0]?.trim() !== "---") return { title: null, end: 0 };
  const close = lines.findIndex((line, i) => i > 0 && /^(?:---|\.\.\.)\s*$/.test(line));
  // A rule as the first line, without an end or without "key:" lines, is no front matter.
  if (close < 0 || !lines.slice(1, close).every((line) => /^(?:\s|#|-|[\w.-]+\s*:|$)/.test(line))) {
    return { title: null, end: 0 };
  }
  const title = lines
    .slice(1, close)
    .map((line) => /^title\s*:\s*(["']?)(.+)\1\s*$/.exec(line)?.[2])
    .find((found) => found !== undefined);
  return { title: title ?? null, end: close + 1 };
}

function closingFence(lines: string[], from: number, fence: string): number {
  for (let i = from; i < lines.length; i++) {
    const candidate = lines[i]!.trim();
    if (candidate.length >= fence.length && candidate === fence[0]!.repeat(candidate.length)) return i;
  }
  return lines.length;
}

function isTableRow(line: string, next: string | undefined, above: LooseBlock | undefined, open: string[]): boolean {
  if (open.length > 0 || !line.includes("|")) return false;
  const delimiter = next !== undefined && next.includes("-") && /^[\s|:-]+$/.test(next) && next.includes("|");
  return delimiter || above?.kind === "table-row" || /^\s*\|.*\|\s*$/.test(line);
}

function tableRow(line: string): string {
  const cells = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return cells
    .split(/(?<!\\)\|/)
    .map((cell) => plainInline(cell.replaceAll("\\|", "|")).trim())
    .join(" | ");
}

/** Takes inline markers away. Each pattern is bounded, so that hostile input cannot make it slow. */
function plainInline(text: string): string {
  return text
    .replace(/<!--[^]{0,10000}?-->/g, "")
    .replace(/!\[([^\][]{0,1000})\]\([^()\s]{0,2000}(?:\s+"[^"]{0,500}")?\)/g, "$1")
    .replace(/\[([^\][]{1,1000})\]\([^()\s]{0,2000}(?:\([^()]{0,500}\))?[^()\s]{0,500}(?:\s+"[^"]{0,500}")?\)/g, "$1")
    .replace(/\[([^\][]{1,1000})\]\[[^\][]{0,200}\]/g, "$1")
    .replace(/<((?:https?|mailto):[^<>\s]{1,2000})>/g, "$1")
    .replace(/<\/?[a-zA-Z][^<>]{0,1000}>/g, "")
    .replace(/(\*{1,3})(?=\S)([^*\n]{0,1000}[^*\s])\1/g, "$2")
    .replace(/(?<![\p{L}\p{N}_])(_{1,3})(?=\S)([^_\n]{0,1000}[^_\s])\1(?![\p{L}\p{N}_])/gu, "$2")
    .replace(/~~(?=\S)([^~\n]{0,1000})~~/g, "$1")
    .replace(/(`+)([^`\n]{1,1000})\1/g, "$2")
    .replace(/\\([\\`*_{}[\]()#+\-.!|>~])/g, "$1")
    .replace(/[^\S\n]*\n[^\S\n]*/g, "\n")
    .trim();
}
