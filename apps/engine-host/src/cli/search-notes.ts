import type { SearchLeg, SearchNote } from "@corral/protocol";

/** How passages were found, for a person: "by words and by meaning". */
export function describeLegs(legs: readonly SearchLeg[]): string {
  const names = { lexical: "by words", dense: "by meaning", rerank: "read again by the reranking model" };
  return legs.map((leg) => names[leg]).join(", ");
}

/** A note of a search in one sentence. */
export function describeSearchNote(note: SearchNote): string {
  switch (note.type) {
    case "no-embedding-model":
      return "No embedding model is installed: passages are found by their words alone.";
    case "embedding-out-of-time":
      return "The embedding model was not ready in time: passages were found by their words alone. Try again in a moment.";
    case "embedding-failed":
      return `The query could not be embedded, so passages were found by their words alone: ${note.error.message}`;
    case "partly-embedded":
      return `${note.embedded} of ${note.chunks} passages are embedded so far; the others are found by their words alone.`;
    case "earlier-embedding-model":
      return `Passages are being embedded with another model; until that is done ${note.model} answers.`;
    case "rerank-out-of-time":
      return `The reranking model had time for ${note.ranked} of ${note.wanted} passages.`;
    case "rerank-failed":
      return `The reranking model failed, so passages stay in the order they were found: ${note.error.message}`;
  }
}
