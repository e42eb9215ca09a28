import type { OfficeContentNode, OfficeError } from "officeparser/slim";
import type { LooseBlock } from "./block.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";
import { cleanText } from "./text-encoding.ts";
import { checkZip } from "./zip-check.ts";

export interface WordDocument {
  /** The title property, else the paragraph in the style "Title". */
  title: string | null;
  blocks: LooseBlock[];
}

/** XML elements of one document; a long, heavily formatted one has a few hundred thousand (officeparser's own figure). */
const maxXmlElements = 1_000_000;
const maxDepth = 200;

/**
 * Reads a Word document (.docx): headings, paragraphs, list items, tables as rows "a | b | c", footnotes after the block
 * they belong to. Pictures, links, embedded objects and macros are not followed.
 * @param maxUnpackedBytes limit for all parts of the package together, counted while unpacking
 */
export async function parseDocx(bytes: Buffer, maxUnpackedBytes: number): Promise<WordDocument> {
  if (isCompoundFile(bytes)) {
    // Word stores an encrypted document inside an old-style compound file.
    if (bytes.includes(Buffer.from("EncryptedPackage", "utf16le"))) {
      throw new ParseFailure({ kind: "password-protected" });
    }
    throw unreadable("it is in the old .doc format; save it as .docx");
  }
  if (bytes.length < 22 || bytes.readUInt32BE(0) !== 0x504b0304) throw unreadable("it is not a Word document");
  await checkZip(bytes, maxUnpackedBytes);
  // Imported on first use: it takes 0.2 s, and most files are not Office files.
  const { OfficeParser } = await import("officeparser/slim");
  const ast = await OfficeParser.parseOffice(bytes, {
    fileType: "docx",
    ignoreComments: true,
    ignoreHeadersAndFooters: true,
    decompressionLimits: { maxUncompressedBytes: maxUnpackedBytes, maxXmlElements },
  }).catch((error: OfficeError) => {
    if (error.officeIssue?.code === "XML_ELEMENT_LIMIT_EXCEEDED") {
      throw new ParseFailure({ kind: "limit", limit: "output" }, { cause: error });
    }
    throw unreadable("it is damaged or not a Word document", error);
  });
  const blocks: LooseBlock[] = [];
  for (const node of ast.content) collect(node, blocks, 0);
  const title = ast.metadata.title?.trim() || blocks.find((b) => b.kind === "heading" && b.level === 0)?.text;
  return { title: title ?? null, blocks };
}

function isCompoundFile(bytes: Buffer): boolean {
  return bytes.length >= 8 && bytes.readUInt32BE(0) === 0xd0cf11e0;
}

function collect(node: OfficeContentNode, blocks: LooseBlock[], depth: number): void {
  if (depth > maxDepth) return;
  const add = (kind: LooseBlock["kind"], level: number, text: string) => {
    const clean = cleanText(text)
      .replace(/[^\S\n]+/g, " ")
      .replace(/ ?\n ?/g, kind === "heading" ? " " : "\n")
      .trim();
    if (/[^\s|]/.test(clean)) blocks.push({ kind, level, text: clean });
  };
  if (node.type === "heading") {
    const title = node.metadata?.style === "Title";
    add("heading", title ? 0 : Math.max(1, node.metadata?.level ?? 1), node.text ?? "");
  } else if (node.type === "list") {
    const number = node.metadata?.listType === "ordered" ? `${node.metadata.itemIndex + 1}. ` : "";
    add("list-item", 0, number + (node.text ?? ""));
  } else if (node.type === "row") {
    add("table-row", 0, (node.children ?? []).map((cell) => plainText(cell, depth)).join(" | "));
  } else if (node.type === "code") add("code", 0, node.text ?? "");
  else if (node.text && ["paragraph", "text"].includes(node.type)) add("paragraph", 0, node.text);
  else for (const child of node.children ?? []) collect(child, blocks, depth + 1);
  if (node.text) for (const note of notesOf(node, depth)) add("paragraph", 0, note);
}

/** Footnotes and endnotes hang on the stretch of text that refers to them. */
function notesOf(node: OfficeContentNode, depth: number): string[] {
  if (depth > maxDepth) return [];
  const own = (node.notes ?? []).map((note) => note.text ?? "");
  return [...own, ...(node.children ?? []).flatMap((child) => notesOf(child, depth + 1))];
}

/** The text of a table cell on one line. */
function plainText(node: OfficeContentNode, depth: number): string {
  if (depth > maxDepth) return "";
  const text = node.text ?? (node.children ?? []).map((child) => plainText(child, depth + 1)).join(" ");
  return text.replace(/\s+/g, " ").trim();
}
