import type { SearchResult, Sources } from "@corral/protocol";

/** Query to ranked chunks. */
export interface Retrieval {
  /**
   * Best first, with the legs that ran: by words always; by meaning with an embedding model; read again by a reranking
   * model while its time lasts. Where a leg cannot run, `notes` says why and the others answer. `sources` null: all documents.
   * @param options.syntax the query is what a person typed into a search field, with the syntax of store/query.ts; absent:
   * plain words, as a question is
   */
  search(
    query: string,
    sources: Sources | null,
    limit: number,
    signal?: AbortSignal,
    options?: { syntax?: boolean },
  ): Promise<SearchResult>;
}
