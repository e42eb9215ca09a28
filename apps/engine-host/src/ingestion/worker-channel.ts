import type { DocumentFormat } from "@corral/protocol";
import type { ChunkContent, PageContent } from "../store/store.ts";

/** The messages between the host and one ingestion worker (child process IPC, advanced serialization). One job at a time. */

/** What one document may give at most. */
export interface ReadLimits {
  /** Pages of a PDF. */
  pages: number;
  /** UTF-16 units of text of the whole document. */
  characters: number;
  /** Bytes of a file that is read into memory as a whole (all but PDF). */
  fileBytes: number;
  /** Bytes that come out of a compressed file. */
  unpackedBytes: number;
}

export type ToWorker =
  | { type: "read"; path: string; format: DocumentFormat; limits: ReadLimits }
  /** Draws a PDF page; `scale` 1 = 72 dots per inch. */
  | { type: "render"; path: string; page: number; scale: number };

export type FromWorker =
  | { type: "ready" }
  /** A run of pages, and the chunks that became complete with it. */
  | { type: "part"; pages: PageContent[]; chunks: ChunkContent[]; progress: number }
  /** `losses`: parts that could not be read, each as "NAME (reason)". */
  | { type: "read"; title: string | null; language: string | null; paged: boolean; losses: string[] }
  | { type: "rendered"; png: Uint8Array }
  | { type: "failed"; reason: FailureReason };

/** Why a file could not be read. `reason` of "unreadable" completes the sentence "NAME can't be read: …". */
export type FailureReason =
  | { kind: "unreadable"; reason: string }
  | { kind: "password-protected" }
  | { kind: "without-text" }
  | { kind: "limit"; limit: "time" | "memory" | "output" };

/** Written to stderr by a worker that stops itself because it needs too much memory. */
export type MemoryLimitMark = "corral: memory limit reached";
