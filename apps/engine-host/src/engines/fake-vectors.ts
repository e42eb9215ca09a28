/** Length of the fake engine's vectors. */
export const fakeDimensions = 64;

/**
 * A unit vector of the words of a text: each word adds to places that only depend on it, so that texts with words in
 * common lie close together. The same on every machine.
 */
export function fakeVector(text: string): Float32Array {
  const vector = new Float32Array(fakeDimensions);
  for (const word of wordsOf(text)) {
    let hash = fnv1a(word);
    for (let place = 0; place < 4; place++) {
      const index = hash % fakeDimensions;
      vector[index] = (vector[index] ?? 0) + (hash & 0x1000 ? 1 : -1);
      hash = fnv1a(`${word}${place}`);
    }
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  else for (let index = 0; index < fakeDimensions; index++) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}

/** Share of the query's words that the text has, 0..1. */
export function fakeRank(query: string, text: string): number {
  const asked = new Set(wordsOf(query));
  const found = new Set(wordsOf(text));
  return asked.size === 0 ? 0 : [...asked].filter((word) => found.has(word)).length / asked.size;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** FNV-1a, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
