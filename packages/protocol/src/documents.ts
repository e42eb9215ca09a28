import { z } from "zod";
import { errorReport } from "./errors.ts";

export const collection = z.object({
  id: z.string(),
  name: z.string(),
  documentCount: z.number().int(),
  chunkCount: z.number().int(),
  createdAt: z.string(),
});
export type Collection = z.infer<typeof collection>;

/**
 * pdf: has real pages, drawn as pictures. Everything else is shown as text in sections. csv: tab-separated too; json: JSON
 * Lines too; mail: .eml; mailbox: .mbox; code: source code; archive: .zip.
 */
export const documentFormat = z.enum([
  ...["pdf", "docx", "pptx", "xlsx", "odt", "odp", "ods", "rtf", "epub", "html", "markdown", "text"],
  ...["csv", "json", "mail", "mailbox", "code", "archive"],
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
  /** True when page numbers mean something to a person (PDF). */
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

/** One page (PDF) or section (other formats) as the source viewer shows it. */
export const pageView = z.object({
  documentId: z.string(),
  page: z.number().int(),
  text: z.string(),
  /** Page size in points; null for formats without pages. */
  width: z.number().nullable(),
  height: z.number().nullable(),
  /** Where the asked-for spans stand on the page picture; empty for formats without pages. */
  boxes: z.array(box),
});
export type PageView = z.infer<typeof pageView>;

/** What happens to collections and documents: one snapshot first, then each change. */
export const libraryEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("snapshot"), collections: z.array(collection), documents: z.array(documentSummary) }),
  z.object({ type: z.literal("collection"), collection }),
  z.object({ type: z.literal("collection-removed"), collectionId: z.string() }),
  z.object({ type: z.literal("document"), document: documentSummary }),
  z.object({ type: z.literal("document-removed"), documentId: z.string() }),
]);
export type LibraryEvent = z.infer<typeof libraryEvent>;

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
  headingPath: z.array(z.string()),
  text: z.string(),
  spans: z.array(textSpan),
  /** Relevance, higher is better; comparable within one result only. */
  score: z.number(),
});
export type SearchHit = z.infer<typeof searchHit>;
