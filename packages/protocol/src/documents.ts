import { z } from "zod";
import { errorReport } from "./errors.ts";
import { hitLegs, searchLeg, searchNote } from "./search.ts";

export const collection = z.object({
  id: z.string(),
  name: z.string(),
  documentCount: z.number().int(),
  chunkCount: z.number().int(),
  createdAt: z.string(),
});
export type Collection = z.infer<typeof collection>;

/** What a collection takes up on this machine. Bytes. */
export const collectionStorage = z.object({
  /** Copies of uploaded files that Corral keeps. */
  copiesBytes: z.number(),
  /** Files read in place: they belong to their owner and stay when documents are removed. */
  inPlaceBytes: z.number(),
  /** Text of pages and passages, with the places of lines. */
  textBytes: z.number(),
  /** Its share of the lexical index, by passages. */
  indexBytes: z.number(),
  /** Its share of the vectors, by passages. */
  vectorBytes: z.number(),
});
export type CollectionStorage = z.infer<typeof collectionStorage>;

/**
 * checking: being compared with what is known. following: as of `checkedAt` everything is known, changes are seen as they
 * happen. polling: the same, but changes are only seen at the next check (network folders, or too many folders to watch).
 * missing: the folder is gone, offline or empty all at once; its documents stay until it is back. failed: see `error`.
 */
export const folderState = z.enum(["checking", "following", "polling", "missing", "failed"]);
export type FolderState = z.infer<typeof folderState>;

/** A folder on the host's disk that a collection follows: what is added, changed, renamed and deleted there is here too. */
export const followedFolder = z.object({
  id: z.string(),
  collectionId: z.string(),
  path: z.string(),
  state: folderState,
  error: errorReport.nullable(),
  /** When it was last compared as a whole; null: not yet. */
  checkedAt: z.string().nullable(),
  /** Files in it that are documents of the collection. */
  documentCount: z.number().int(),
  /** Files in it of a known kind that were refused (empty, too large, not what their name says). */
  refusedCount: z.number().int(),
});
export type FollowedFolder = z.infer<typeof followedFolder>;

/**
 * pdf: has real pages, drawn as pictures; image: a scan or photo (PNG, JPEG, TIFF, BMP), shown as it is, its text
 * recognised. Everything else is shown as text in sections. csv: tab-separated too; json: JSON Lines too; mail: .eml;
 * mailbox: .mbox; code: source code; archive: .zip.
 */
export const documentFormat = z.enum([
  ...["pdf", "docx", "pptx", "xlsx", "odt", "odp", "ods", "rtf", "epub", "html", "markdown", "text"],
  ...["csv", "json", "mail", "mailbox", "code", "archive", "image"],
] as const);
export type DocumentFormat = z.infer<typeof documentFormat>;

export const documentState = z.enum(["queued", "reading", "indexing", "ready", "failed", "cancelled"]);
export type DocumentState = z.infer<typeof documentState>;

export const documentSummary = z.object({
  id: z.string(),
  collectionId: z.string(),
  /** File name as the user knows it. */
  name: z.string(),
  title: z.string().nullable(),
  format: documentFormat,
  bytes: z.number(),
  state: documentState,
  /** 0..1 while reading or indexing. */
  progress: z.number().nullable(),
  /** Why it failed; of a ready document: what could not be read of it (FILE_PARTLY_READ). */
  error: errorReport.nullable(),
  /** Pages of a PDF; sections of another format. */
  pageCount: z.number().int().nullable(),
  /** True when page numbers mean something to a person (PDF, image). */
  paged: z.boolean(),
  chunkCount: z.number().int().nullable(),
  /** BCP-47 primary language, where detected. */
  language: z.string().nullable(),
  addedAt: z.string(),
});
export type DocumentSummary = z.infer<typeof documentSummary>;

/** A stretch of one page's text: UTF-16 offsets into that page's `text`, end exclusive. Pages count from 1. */
export const textSpan = z.object({ page: z.number().int(), start: z.number().int(), end: z.number().int() });
export type TextSpan = z.infer<typeof textSpan>;

/** A rectangle on a page in PDF points (1/72 inch), origin top left. */
export const box = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });
export type Box = z.infer<typeof box>;

/** A line of a page: its stretch of the page's text and where it stands on the picture, in points, origin top left. */
export const pageLine = box.extend({ start: z.number().int(), end: z.number().int() });
export type PageLine = z.infer<typeof pageLine>;

/** A row of a table in a page's text, with the stretch of text of each cell. */
export const tableRow = z.object({
  /** Row number in the sheet, from 1; null for a table that numbers nothing. */
  row: z.number().int().nullable(),
  /** Columns count from 0. */
  cells: z.array(z.object({ column: z.number().int(), start: z.number().int(), end: z.number().int() })),
});
export type TableRow = z.infer<typeof tableRow>;

/** One page (PDF, image) or section (other formats) as the source viewer shows it. */
export const pageView = z.object({
  documentId: z.string(),
  page: z.number().int(),
  text: z.string(),
  /** Page size in points; null for formats without pages. */
  width: z.number().nullable(),
  height: z.number().nullable(),
  /** Where the asked-for spans stand on the page picture; empty for formats without pages. */
  boxes: z.array(box),
  /** What people call it: "Slide 3", a sheet's name, a chapter, "iv" of a PDF; null when its number is all it has. */
  label: z.string().nullable(),
  /** The text layer of the picture, in reading order; empty for formats without pages. */
  lines: z.array(pageLine),
  /** The rows of tables in the text, top to bottom; cells of a sheet have their addresses. */
  tableRows: z.array(tableRow),
});
export type PageView = z.infer<typeof pageView>;

/** What happens to collections and documents: one snapshot first, then each change. */
export const libraryEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("snapshot"),
    collections: z.array(collection),
    documents: z.array(documentSummary),
    folders: z.array(followedFolder),
  }),
  z.object({ type: z.literal("collection"), collection }),
  z.object({ type: z.literal("collection-removed"), collectionId: z.string() }),
  z.object({ type: z.literal("document"), document: documentSummary }),
  z.object({ type: z.literal("document-removed"), documentId: z.string() }),
  z.object({ type: z.literal("folder"), folder: followedFolder }),
  z.object({ type: z.literal("folder-removed"), folderId: z.string() }),
]);
export type LibraryEvent = z.infer<typeof libraryEvent>;

/** How far the export or import of a collection is; `done` ends it. */
export const transferEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), done: z.number(), total: z.number() }),
  z.object({
    type: z.literal("done"),
    collection,
    documents: z.number().int(),
    /** Of the file. */
    bytes: z.number(),
    /** Documents whose original file was asked for and could not be had: their text is there, their pages cannot be drawn. */
    withoutOriginal: z.number().int(),
  }),
]);
export type TransferEvent = z.infer<typeof transferEvent>;

/** What became of one file that was asked to be added. */
export const addResult = z.object({
  file: z.string(),
  /** added: queued for reading. unchanged: the same content is already in the collection. refused: see error. */
  outcome: z.enum(["added", "unchanged", "refused"]),
  document: documentSummary.nullable(),
  error: errorReport.nullable(),
});
export type AddResult = z.infer<typeof addResult>;

/** Which documents a question may be answered from. Both empty: none. */
export const sources = z.object({ collectionIds: z.array(z.string()), documentIds: z.array(z.string()) });
export type Sources = z.infer<typeof sources>;

export const searchHit = z.object({
  chunkId: z.string(),
  documentId: z.string(),
  /** File name. */
  document: z.string(),
  collectionId: z.string(),
  /** First page of the chunk; null for formats without pages. */
  page: z.number().int().nullable(),
  /** What people call the page or section it begins on ("Slide 3"), see PageView; absent where only the number is known. */
  label: z.string().optional(),
  headingPath: z.array(z.string()),
  text: z.string(),
  spans: z.array(textSpan),
  /** Relevance, higher is better; comparable within one result only. */
  score: z.number(),
  /** What it comes from. */
  legs: hitLegs,
});
export type SearchHit = z.infer<typeof searchHit>;

/** Passages, best first, with the legs that ran and why others did not. */
export const searchResult = z.object({
  hits: z.array(searchHit),
  legs: z.array(searchLeg),
  notes: z.array(searchNote),
});
export type SearchResult = z.infer<typeof searchResult>;

/** Language data of text recognition by Tesseract's name of the language ("eng"). `usable` false: damaged. */
export const ocrLanguage = z.object({ name: z.string(), bytes: z.number(), usable: z.boolean() });
export type OcrLanguage = z.infer<typeof ocrLanguage>;

/** `directory`: where `<name>.traineddata` of further languages is put. */
export const ocrData = z.object({ directory: z.string(), languages: z.array(ocrLanguage) });
export type OcrData = z.infer<typeof ocrData>;
