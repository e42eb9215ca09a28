import type { Citation } from "@corral/protocol";

/** What Corral adds to an annotation: the passage itself. */
function passageOf({ number, documentId, document, page, quote, chunkId, support }: Citation) {
  return { number, document_id: documentId, document, page, quote, chunk_id: chunkId, support };
}

/** Names a passage, for programs that keep annotations as links. Nothing is served under it. */
function addressOf({ documentId, chunkId, page }: Citation): string {
  const place = new URLSearchParams({ chunk: chunkId, ...(page === null ? {} : { page: String(page) }) });
  return `corral://documents/${encodeURIComponent(documentId)}?${place.toString()}`;
}

function titleOf({ document, page }: Citation): string {
  return page === null ? document : `${document}, page ${page}`;
}

/** Where the marker "[n]" of a citation stands in the text that was written before it became known. */
function markerOf({ number }: Citation, text: string): { start: number; end: number } {
  for (const match of text.matchAll(/\[[\d\s,]{1,64}\]/gu)) {
    if (!match[0].slice(1, -1).split(",").map(Number).includes(number)) continue;
    return { start: match.index, end: match.index + match[0].length };
  }
  return { start: text.length, end: text.length };
}

/** An annotation as chat completions have it. @param text the reply up to the citation */
export function chatAnnotation(citation: Citation, text: string) {
  const { start, end } = markerOf(citation, text);
  return {
    type: "url_citation" as const,
    url_citation: { start_index: start, end_index: end, title: titleOf(citation), url: addressOf(citation) },
    corral: passageOf(citation),
  };
}

/** An annotation as responses have it. */
export function responseAnnotation(citation: Citation, text: string) {
  return {
    type: "file_citation" as const,
    file_id: citation.documentId,
    filename: citation.document,
    index: markerOf(citation, text).end,
    corral: passageOf(citation),
  };
}
