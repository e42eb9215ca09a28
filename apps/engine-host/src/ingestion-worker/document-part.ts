import type { PageContent } from "../store/store.ts";
import type { Block } from "./block.ts";

/** A run of pages (or sections) of a document with the blocks on them, as parsers hand it on. */
export interface DocumentPart {
  pages: PageContent[];
  blocks: Block[];
  /** How much of the document is read with this part, 0..1. */
  progress: number;
  /** Pages whose text was recognised since the last part; such a part may have no pages yet. */
  recognised?: number;
}
