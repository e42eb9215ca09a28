import type { OfficeContentNode, OfficeError } from "officeparser/slim";
import type { LooseBlock, ParsedDocument } from "./block.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";
import { type SheetRow, sheetBlocks } from "./sheet-blocks.ts";
import { cleanText } from "./text-encoding.ts";
import { checkZip, openZip, type UnpackAllowance } from "./zip-archive.ts";

export type OfficeFormat = "docx" | "pptx" | "odt" | "odp" | "ods" | "rtf";

const names: Readonly<Record<OfficeFormat, string>> = {
  docx: "a Word document",
  pptx: "a PowerPoint presentation",
  odt: "an OpenDocument text",
  odp: "an OpenDocument presentation",
  ods: "an OpenDocument spreadsheet",
  rtf: "an RTF document",
};

/** XML elements of one document; a long, heavily formatted one has a few hundred thousand (officeparser's own figure). */
const maxXmlElements = 1_000_000;
const maxTableCells = 1_000_000;
/** Characters that repeated cells of a sheet may add. */
const maxRepeatedContent = 2_000_000;
const maxDepth = 200;
const bytesOfManifest = 16 * 2 ** 20;

/**
 * Reads an Office document: headings, paragraphs, list items, tables as rows "a | b | c", footnotes and speaker notes after
 * the block they belong to; each slide and sheet as a section. Pictures, links, embedded objects and macros are not followed.
 * @throws ParseFailure
 */
export async function parseOffice(
  bytes: Buffer,
  format: OfficeFormat,
  allowance: UnpackAllowance,
): Promise<ParsedDocument & { blocks: LooseBlock[] }> {
  const maxUncompressedBytes = allowance.bytes;
  if (format === "rtf") requireRtf(bytes);
  else await requirePackage(bytes, names[format], allowance);
  // Imported on first use: it takes 0.2 s, and most files are not Office files.
  const { OfficeParser } = await import("officeparser/slim");
  const ast = await OfficeParser.parseOffice(bytes, {
    fileType: format,
    ignoreComments: true,
    ignoreHeadersAndFooters: true,
    ignoreSlideMasters: true,
    decompressionLimits: { maxUncompressedBytes, maxXmlElements, maxTableCells, maxRepeatedContent },
  }).catch((error: OfficeError) => {
    if (error.officeIssue?.code === "XML_ELEMENT_LIMIT_EXCEEDED") {
      throw new ParseFailure({ kind: "limit", limit: "output" }, { cause: error });
    }
    throw unreadable(`it is damaged or not ${names[format]}`, error);
  });
  // Beyond some limits officeparser leaves out what follows; nothing is dropped silently here.
  if (ast.warnings.some((warning) => warning.code.endsWith("_LIMIT_EXCEEDED"))) {
    throw new ParseFailure({ kind: "limit", limit: "output" });
  }
  const blocks: LooseBlock[] = [];
  for (const node of ast.content) collect(node, blocks, 0);
  return { title: titleOf(ast.metadata.title?.trim() ?? "", blocks), blocks };
}

/** Programs write a title of their own where nobody gave one. */
const titlesOfPrograms = /^(?:powerpoint|pptxgenjs)\b.*|^(?:slide|folie|diapositive) 1$/i;

/** The title property, else the paragraph in the style "Title", else the title of the first slide. */
function titleOf(property: string, blocks: LooseBlock[]): string | null {
  if (property !== "" && !titlesOfPrograms.test(property)) return property;
  const title = blocks.find((block) => block.kind === "heading" && block.level === 0)?.text;
  return title ?? /^Slide \d+: (.+)/.exec(blocks[0]?.text ?? "")?.[1] ?? null;
}

/** Excel, Word and PowerPoint store an encrypted document inside an old-style compound file. */
export function refuseCompoundFile(bytes: Buffer): void {
  if (bytes.length < 8 || bytes.readUInt32BE(0) !== 0xd0cf11e0) return;
  if (bytes.includes(Buffer.from("EncryptedPackage", "utf16le"))) {
    throw new ParseFailure({ kind: "password-protected" });
  }
  throw unreadable("it is in an old Office format (.doc, .xls or .ppt); save it in the present one");
}

async function requirePackage(bytes: Buffer, name: string, allowance: UnpackAllowance): Promise<void> {
  refuseCompoundFile(bytes);
  if (bytes.length < 22 || bytes.readUInt32BE(0) !== 0x504b0304) throw unreadable(`it is not ${name}`);
  await checkZip(bytes, allowance);
  // An encrypted OpenDocument file says so in its list of parts.
  const parts = await openZip(bytes, { bytes: bytesOfManifest });
  const manifest = await parts.find((part) => part.name === "META-INF/manifest.xml")?.unpack();
  if (manifest?.includes("encryption-data")) throw new ParseFailure({ kind: "password-protected" });
}

function requireRtf(bytes: Buffer): void {
  if (!bytes.subarray(0, 16).toString("latin1").trimStart().startsWith("{\\rtf")) {
    throw unreadable(`it is not ${names.rtf}`);
  }
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
  if (node.type === "slide") return collectSlide(node, blocks, depth);
  if (node.type === "sheet") {
    for (const block of sheetBlocks(node.metadata?.sheetName ?? "", rowsOf(node))) blocks.push(block);
    return;
  }
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

/** A slide with its number, which is how people speak of it, and its title as heading. An empty one is left out. */
function collectSlide(node: Extract<OfficeContentNode, { type: "slide" }>, blocks: LooseBlock[], depth: number): void {
  const inner: LooseBlock[] = [];
  for (const child of node.children ?? []) collect(child, inner, depth + 1);
  for (const note of notesOf(node, depth)) {
    const text = cleanText(note).trim();
    if (text !== "") inner.push({ kind: "paragraph", level: 0, text });
  }
  if (inner.length === 0) return;
  const title = inner[0]!.kind === "heading" ? inner.shift()!.text : null;
  const number = `Slide ${node.metadata?.slideNumber ?? ""}`.trim();
  blocks.push({
    kind: "heading",
    level: 1,
    text: title ? `${number}: ${title}` : number,
    startsSection: true,
    sectionLabel: number,
  });
  for (const block of inner) blocks.push(block.kind === "heading" ? { ...block, level: block.level + 1 } : block);
}

function* rowsOf(sheet: OfficeContentNode): Generator<SheetRow> {
  for (const node of sheet.children ?? []) {
    if (node.type !== "row") continue;
    const cells: SheetRow["cells"] = [];
    let row = 0;
    for (const cell of node.children ?? []) {
      if (cell.type !== "cell") continue;
      row = (cell.metadata?.row ?? 0) + 1;
      const text = plainText(cell, 0);
      if (text !== "") cells.push({ column: cell.metadata?.col ?? 0, text });
    }
    yield { row, cells };
  }
}

/** Footnotes, endnotes and speaker notes hang on the stretch of text or the slide that they belong to. */
function notesOf(node: OfficeContentNode, depth: number): string[] {
  if (depth > maxDepth) return [];
  const own = (node.notes ?? []).map((note) => note.text ?? plainText(note, depth));
  return [...own, ...(node.children ?? []).flatMap((child) => notesOf(child, depth + 1))];
}

/** The text of a table cell on one line. */
function plainText(node: OfficeContentNode, depth: number): string {
  if (depth > maxDepth) return "";
  const text = node.text ?? (node.children ?? []).map((child) => plainText(child, depth + 1)).join(" ");
  return text.replace(/\s+/g, " ").trim();
}
