import type { TextSpan } from "@corral/protocol";
import type { ChunkContent } from "../store/store.ts";
import type { Block } from "./block.ts";
import { splitText } from "./split-text.ts";
import { estimateTokens } from "./token-estimate.ts";

/**
 * Size of a chunk in tokens, as measured best over 9 question sets in 8 languages (research, section 4): paragraphs are
 * packed to 256 tokens; a paragraph may stretch a chunk to 1.3 times that before it is split; the parts of a split
 * paragraph, and only they, overlap by 15 %.
 */
export const chunkTokens = 256;
const maxTokens = Math.floor(chunkTokens * 1.3);
const overlapTokens = Math.floor(chunkTokens * 0.15);
/** A chunk smaller than this is filled up rather than closed. */
const smallTokens = chunkTokens / 2;

/** Turns blocks, in reading order, into chunks. Blocks can be pushed as they are read. */
export interface Chunker {
  /** Takes the next blocks; answers the chunks that are complete. */
  push(blocks: Block[]): ChunkContent[];
  /** The chunks that are left. */
  finish(): ChunkContent[];
}

interface Part {
  text: string;
  spans: TextSpan[];
  tokens: number;
  path: string[];
  heading: boolean;
}

export interface ChunkerOptions {
  /** BCP-47 primary tag, where known. */
  language: string | null;
  /** Pages mean something to people: a chunk then stays on its page, unless a paragraph runs over the page break. */
  paged: boolean;
}

/** Makes a chunker. A chunk's text is exactly the concatenation of its spans' text. */
export function createChunker({ language, paged }: ChunkerOptions): Chunker {
  let path: { level: number; title: string }[] = [];
  let open: Part[] = [];
  let openTokens = 0;
  let unfinished: Block | null = null;
  let done: ChunkContent[] = [];

  const onlyHeadings = () => open.every((part) => part.heading);

  function close(): void {
    const chunk = open.length === 0 ? null : assemble(open, language);
    if (chunk) done.push(chunk);
    open = [];
    openTokens = 0;
  }

  function add(part: Part): void {
    open.push(part);
    openTokens += part.tokens;
  }

  function addHeading(block: Block, tokens: number): void {
    path = [...path.filter((above) => above.level < block.level), { level: block.level, title: block.text.trim() }];
    // A chunk never runs into the next slide or sheet, nor across a top-level heading, nor across a lower one once it is
    // worth standing alone.
    const top = block.level <= 1 || block.startsSection === true;
    if (!onlyHeadings() && (top || openTokens >= smallTokens || openTokens + tokens > chunkTokens)) close();
    add({ text: block.text, spans: block.spans, tokens, path: path.map((above) => above.title), heading: true });
  }

  function addBody(block: Block, tokens: number): void {
    const titles = path.map((above) => above.title);
    const whole = { text: block.text, spans: block.spans, tokens, path: titles, heading: false };
    const together = openTokens + tokens;
    if (together <= chunkTokens || (together <= maxTokens && (openTokens < smallTokens || onlyHeadings()))) {
      add(whole);
      return;
    }
    if (tokens <= maxTokens && !onlyHeadings()) {
      close();
      add(whole);
      return;
    }
    // The paragraph is too long for one chunk: its first part stays with what is open if that is little.
    if (openTokens >= smallTokens && !onlyHeadings()) close();
    const ranges = splitText(block.text, {
      measure: (text) => estimateTokens(text, language),
      language,
      first: Math.max(chunkTokens - openTokens, overlapTokens),
      most: chunkTokens,
      overlap: overlapTokens,
    });
    for (const [index, range] of ranges.entries()) {
      if (index > 0) close();
      const text = block.text.slice(range.start, range.end);
      const spans = sliceSpans(block.spans, range.start, range.end);
      add({ text, spans, tokens: estimateTokens(text, language), path: titles, heading: false });
    }
  }

  function take(block: Block): void {
    const page = block.spans[0]?.page;
    if (paged && !onlyHeadings() && open.at(-1)?.spans.at(-1)?.page !== page) close();
    const tokens = estimateTokens(block.text, language);
    // A "heading" of many lines is a mistake of the parser: as a body it can be split.
    if (block.kind === "heading" && tokens <= smallTokens) addHeading(block, tokens);
    else addBody(block, tokens);
  }

  return {
    push(blocks) {
      done = [];
      for (const block of blocks) {
        const joined: Block = unfinished ? join(unfinished, block) : block;
        unfinished = block.continues ? joined : null;
        if (!unfinished) take(joined);
      }
      return done;
    },
    finish() {
      done = [];
      if (unfinished) take(unfinished);
      unfinished = null;
      close();
      return done;
    },
  };
}

function join(first: Block, second: Block): Block {
  return { ...first, text: first.text + second.text, spans: [...first.spans, ...second.spans] };
}

/** The spans under the characters [start, end) of a text that is the concatenation of `spans`. */
function sliceSpans(spans: TextSpan[], start: number, end: number): TextSpan[] {
  const slices: TextSpan[] = [];
  let offset = 0;
  for (const span of spans) {
    const length = span.end - span.start;
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, length);
    if (from < to) slices.push({ page: span.page, start: span.start + from, end: span.start + to });
    offset += length;
  }
  return slices;
}

/** Joins parts to one chunk without blank space at its ends; null when nothing but blank space is left. */
function assemble(parts: Part[], language: string | null): ChunkContent | null {
  const text = parts.map((part) => part.text).join("");
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const start = text.length - text.trimStart().length;
  const merged: TextSpan[] = [];
  for (const span of parts.flatMap((part) => part.spans)) {
    const last = merged.at(-1);
    if (last && last.page === span.page && last.end === span.start) last.end = span.end;
    else merged.push({ ...span });
  }
  return {
    text: trimmed,
    headingPath: commonPath(parts),
    spans: sliceSpans(merged, start, start + trimmed.length),
    tokenEstimate: estimateTokens(trimmed, language),
  };
}

/** The headings that hold for the whole chunk: the path shared by its bodies (or its headings, if it has only those). */
function commonPath(parts: Part[]): string[] {
  const bodies = parts.filter((part) => !part.heading);
  const paths = (bodies.length > 0 ? bodies : parts.slice(-1)).map((part) => part.path);
  const first = paths[0] ?? [];
  let shared = first.length;
  for (const path of paths) while (first.slice(0, shared).some((title, i) => path[i] !== title)) shared--;
  return first.slice(0, shared);
}
