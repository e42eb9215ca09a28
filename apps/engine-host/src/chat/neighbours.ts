import type { SearchHit } from "@corral/protocol";
import type { LoadedModel } from "../engines/engine.ts";
import type { IndexTable } from "../store/store.ts";

/** Passages that get their neighbours, at most: further down the list they are rarely what a question is about. */
const mostWidened = 8;

/** Characters in which two chunks of one paragraph may overlap, at most: 15 % of the longest chunk (chunker.ts), and room. */
const longestOverlap = 600;

/**
 * Lengthens the best passages by the chunk before and after in the same section, as far as the budget goes: retrieval finds
 * small pieces well, and answers need what stands around them. What is a passage of its own is not repeated.
 * @param budget tokens that may be added
 */
export async function withNeighbours(
  passages: SearchHit[],
  budget: number,
  model: Pick<LoadedModel, "countTokens">,
  index: Pick<IndexTable, "chunk">,
  signal: AbortSignal,
): Promise<{ passages: SearchHit[]; widened: number }> {
  const taken = new Set(passages.map(({ chunkId }) => chunkId));
  const result = [...passages];
  let widened = 0;
  let left = budget;
  for (const [at, passage] of passages.slice(0, mostWidened).entries()) {
    let longer = passage;
    for (const step of [1, -1] as const) {
      const neighbour = await neighbourOf(passage, step, index);
      if (neighbour === null || taken.has(neighbour.id)) continue;
      const [tokens = 0] = await model.countTokens([neighbour.text], signal);
      if (tokens > left) continue;
      left -= tokens;
      taken.add(neighbour.id);
      longer = step === 1 ? joined(longer, neighbour) : joined(neighbour, longer, passage);
    }
    if (longer !== passage) widened++;
    result[at] = longer;
  }
  return { passages: result, widened };
}

async function neighbourOf(passage: SearchHit, step: 1 | -1, index: Pick<IndexTable, "chunk">) {
  const dot = passage.chunkId.lastIndexOf(".");
  const ordinal = Number(passage.chunkId.slice(dot + 1)) + step;
  if (dot < 0 || !Number.isInteger(ordinal) || ordinal < 0) return null;
  const found = await index.chunk(`${passage.chunkId.slice(0, dot)}.${ordinal}`);
  return found !== null && found.headingPath.join("\n") === passage.headingPath.join("\n") ? found : null;
}

type Piece = Pick<SearchHit, "text" | "spans">;

/** Two pieces in reading order as one passage: `base` with the words of both, what they share only once. */
function joined(first: Piece, second: Piece, base: SearchHit = first as SearchHit): SearchHit {
  const shared = overlapOf(first.text, second.text);
  const text = shared > 0 ? first.text + second.text.slice(shared) : `${first.text}\n\n${second.text}`;
  return { ...base, text, spans: [...first.spans, ...second.spans] };
}

/** Characters at the end of one text that the next begins with. */
function overlapOf(first: string, second: string): number {
  for (let length = Math.min(longestOverlap, first.length, second.length); length > 0; length--) {
    if (first.endsWith(second.slice(0, length))) return length;
  }
  return 0;
}
