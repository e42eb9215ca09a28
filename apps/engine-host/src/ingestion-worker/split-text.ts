/** A stretch of a text, UTF-16 offsets, end exclusive. */
export interface TextRange {
  start: number;
  end: number;
}

export interface SplitOptions {
  /** Size of a text in the unit of the numbers below (tokens). Must grow with the text. */
  measure(text: string): number;
  /** BCP-47 primary tag, where known: how sentences end depends on it a little. */
  language: string | null;
  /** Room for the first part. */
  first: number;
  /** Room for each further part, its overlap included. */
  most: number;
  /** How much of a part's end the next part repeats, in whole sentences. */
  overlap: number;
}

/**
 * Splits a long text between sentences, and a sentence that is too long for itself between words. Every part fits its
 * room, and the parts together cover the whole text.
 */
export function splitText(text: string, options: SplitOptions): TextRange[] {
  const sentences = sentencesWithin(text, options);
  const sizes = sentences.map((sentence) => options.measure(text.slice(sentence.start, sentence.end)));
  const parts: TextRange[] = [];
  let from = 0;
  while (from < sentences.length) {
    const room = parts.length === 0 ? options.first : options.most;
    let size = sizes[from] ?? 0;
    let to = from + 1;
    while (to < sentences.length && size + (sizes[to] ?? 0) <= room) size += sizes[to++] ?? 0;
    parts.push({ start: sentences[from]!.start, end: sentences[to - 1]!.end });
    if (to >= sentences.length) break;
    from = startWithOverlap(from, to, sizes, options);
  }
  return parts;
}

/** Goes back from `next` over whole sentences while they fit the overlap, and while the sentence at `next` still fits. */
function startWithOverlap(previous: number, next: number, sizes: number[], options: SplitOptions): number {
  let start = next;
  let repeated = 0;
  const room = Math.min(options.overlap, options.most - (sizes[next] ?? 0));
  while (start - 1 > previous && repeated + (sizes[start - 1] ?? 0) <= room) repeated += sizes[--start] ?? 0;
  return start;
}

/** Sentences, none larger than the smaller of the two rooms: longer ones are cut between words. */
function sentencesWithin(text: string, options: SplitOptions): TextRange[] {
  const limit = Math.max(1, Math.min(options.first, options.most));
  const segmenter = new Intl.Segmenter(options.language ?? undefined, { granularity: "sentence" });
  const ranges: TextRange[] = [];
  for (const { segment, index } of segmenter.segment(text)) {
    if (options.measure(segment) <= limit) ranges.push({ start: index, end: index + segment.length });
    else ranges.push(...cutBetweenWords(text, index, index + segment.length, limit, options));
  }
  return ranges;
}

/** A token holds at most about this many characters, so a longer stretch need not be measured to be too long. */
const charactersPerUnit = 8;

function cutBetweenWords(text: string, start: number, end: number, limit: number, options: SplitOptions): TextRange[] {
  const ranges: TextRange[] = [];
  while (start < end) {
    let length = Math.min(end - start, Math.ceil(limit * charactersPerUnit));
    const size = options.measure(text.slice(start, start + length));
    if (size > limit) length = Math.max(1, Math.floor((length * limit) / size));
    while (length > 1 && options.measure(text.slice(start, start + length)) > limit) length = Math.floor(length * 0.9);
    const cut = start + length >= end ? end : wordBoundaryBefore(text, start, start + length);
    ranges.push({ start, end: cut });
    start = cut;
  }
  return ranges;
}

/** The last place at or before `wanted` where text can be cut without splitting a word, or else a character. */
function wordBoundaryBefore(text: string, start: number, wanted: number): number {
  for (let at = wanted; at > start + (wanted - start) / 2; at--) if (/\s/.test(text[at - 1]!)) return at;
  // No blank space near (Thai, or one endless word): ask for word boundaries in the last stretch, then take a character.
  const from = Math.max(start, wanted - 100);
  const ahead = text.slice(from, wanted + 50);
  for (const granularity of ["word", "grapheme"] as const) {
    let best = 0;
    for (const { index } of new Intl.Segmenter(undefined, { granularity }).segment(ahead)) {
      if (index <= wanted - from) best = index;
    }
    if (best > 0) return from + best;
  }
  return wanted;
}
