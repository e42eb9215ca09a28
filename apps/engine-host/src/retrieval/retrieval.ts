import type { SearchHit, Sources } from "@corral/protocol";

/** Query to ranked chunks. */
export interface Retrieval {
  /** Best first. `sources` null: all documents. */
  search(query: string, sources: Sources | null, limit: number, signal?: AbortSignal): Promise<SearchHit[]>;
}
