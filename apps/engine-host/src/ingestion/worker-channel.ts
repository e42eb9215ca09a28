import type { DocumentFormat } from "@corral/protocol";
import type { ChunkContent, PageContent } from "../store/store.ts";

/** The messages between the host and one ingestion worker (child process IPC, advanced serialization). One job at a time. */

/** What one document may give at most. */
export interface ReadLimits {
  /** Pages of a PDF. */
  pages: number;
  /** Pages of one document whose text is recognised; those beyond are left without text. */
  recognisedPages: number;
  /** UTF-16 units of text of the whole document. */
  characters: number;
  /** Bytes of a file that is read into memory as a whole (all but PDF). */
  fileBytes: number;
  /** Bytes that come out of a compressed file. */
  unpackedBytes: number;
}

/** Text recognition (OCR) as a worker may use it. */
export interface Recognition {
  /** The folder that holds `<language>.traineddata` of each language. */
  directory: string;
  /** Tesseract's names: "eng", "deu". Not empty. */
  languages: string[];
  /** Pages recognised at the same time, a thread each. */
  threads: number;
}

export type ToWorker =
  /** `recognition` null: pages without text stay so. */
  | { type: "read"; path: string; format: DocumentFormat; limits: ReadLimits; recognition: Recognition | null }
  /** Draws a page of a PDF or an image; `scale` 1 = 72 dots per inch. */
  | { type: "render"; path: string; format: "pdf" | "image"; page: number; scale: number };

export type FromWorker =
  | { type: "ready" }
  /** A run of pages, and the chunks that became complete with it. `recognised`: pages whose text was recognised for it. */
  | { type: "part"; pages: PageContent[]; chunks: ChunkContent[]; progress: number; recognised: number }
  /** `losses`: parts that could not be read, each as "NAME (reason)". */
  | { type: "read"; title: string | null; language: string | null; paged: boolean; losses: string[] }
  | { type: "rendered"; png: Uint8Array }
  | { type: "failed"; reason: FailureReason };

/** Why a file could not be read. `reason` of "unreadable" completes the sentence "NAME can't be read: …". */
export type FailureReason =
  | { kind: "unreadable"; reason: string }
  | { kind: "password-protected" }
  /** `scanned`: it holds pictures of pages; `recognition`: whether their text was looked for. */
  | { kind: "without-text"; scanned: boolean; recognition: boolean }
  | { kind: "limit"; limit: "time" | "memory" | "output" };

/** Written to stderr by a worker that stops itself because it needs too much memory. */
export type MemoryLimitMark = "corral: memory limit reached";
