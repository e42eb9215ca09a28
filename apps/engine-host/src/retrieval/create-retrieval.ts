import { CorralError, type HitLegs, type SearchLeg, type SearchNote } from "@corral/protocol";
import type { Models } from "../models/models.ts";
import { parseQuery } from "../store/query.ts";
import type { Store, StoredChunk } from "../store/store.ts";
import { AnsweringModel } from "./answering-model.ts";
import { type DenseResult, searchDense } from "./dense-leg.ts";
import { fuse } from "./fuse.ts";
import { InstalledModels } from "./installed-models.ts";
import { useWithin } from "./patience.ts";
import { rankInCalls, RERANKED } from "./rerank.ts";
import type { Retrieval } from "./retrieval.ts";
import { searchHit } from "./search-hit.ts";

/** Passages of each leg that are fused, at least: a passage that both legs have further down can still come first. */
const FUSED = 100;
/**
 * How much each leg counts. Equal, as no choice was measured to be better in general: words find names, numbers and quotes,
 * vectors find paraphrases.
 */
const WEIGHTS = { lexical: 1, dense: 1 };
/** How long somebody who waits for passages waits for the reranking model, ms, its loading included. */
const RERANK_MS = 800;

export interface RetrievalOptions {
  store: Pick<Store, "index" | "vectors" | "settings">;
  /** Absent: passages are found by words alone. */
  models?: Pick<Models, "watch" | "settings" | "embedder" | "reranker">;
  /** Only tests replace it. */
  rerankMs?: number;
}

/** Retrieval by words (BM25), by meaning (vectors) and by a second look of a reranking model, as far as models are installed. */
export function createRetrieval({ store, models, rerankMs = RERANK_MS }: RetrievalOptions): Retrieval & Disposable {
  const lifetime = new AbortController();
  const installed = models && new InstalledModels(models);
  const answering = new AnsweringModel(store);

  async function denseLeg(query: Parameters<typeof searchDense>[1], signal: AbortSignal): Promise<DenseResult> {
    if (!models || !installed) return { ran: false, found: [], notes: [{ type: "no-embedding-model" }] };
    return searchDense({ store, models, installed, answering, lifetime: lifetime.signal }, query, signal);
  }

  /** Puts the best in the order of the reranking model. @returns a note where it did not read them all */
  async function rerank(query: string, found: Candidate[], signal: AbortSignal): Promise<SearchNote | null> {
    const best = found.slice(0, RERANKED);
    const scores: number[] = [];
    const started = performance.now();
    const outcome = await useWithin(
      models!.reranker(null, { signal: lifetime.signal }),
      rerankMs,
      signal,
      async (reranker, stop) => {
        const remaining = rerankMs - (performance.now() - started);
        await rankInCalls(reranker, query, best.map(rankedText), scores, remaining, stop);
      },
    );
    if (outcome !== "out-of-time" && "error" in outcome)
      return { type: "rerank-failed", error: CorralError.reportOf(outcome.error) };
    const read = best.slice(0, scores.length).map((candidate, i) => ({ candidate, score: scores[i]! }));
    read.sort((a, b) => b.score - a.score);
    // What was not read comes after what was, its score below 1.
    const scale = 1 + found[0]!.score;
    if (read.length > 0) for (const candidate of found.slice(read.length)) candidate.score /= scale;
    for (const [place, { candidate, score }] of read.entries()) {
      candidate.legs.rerank = { rank: place + 1, score };
      candidate.score = 1 + score;
    }
    found.splice(0, read.length, ...read.map(({ candidate }) => candidate));
    const ranked = read.length;
    return ranked < best.length ? { type: "rerank-out-of-time", ranked, wanted: best.length } : null;
  }

  return {
    async search(query, sources, limit, signal = lifetime.signal, { syntax = false } = {}) {
      signal.throwIfAborted();
      const canRerank = (await installed?.hasReranker()) ?? false;
      const canEmbed = ((await installed?.embedders()) ?? []).length > 0;
      const depth = canRerank || canEmbed ? Math.max(limit, FUSED) : limit;
      const [lexical, dense] = await Promise.all([
        store.index.search(query, sources, depth, { syntax }),
        denseLeg({ query, syntax, sources, limit: depth }, signal),
      ]);
      signal.throwIfAborted();
      const legs: SearchLeg[] = ["lexical"];
      const notes = dense.notes;
      if (dense.ran) legs.push("dense");
      const found = dense.ran ? fused(lexical, dense.found) : byWords(lexical);
      if (canRerank && found.length > 1) {
        const note = await rerank(syntax ? parseQuery(query).plain : query, found, signal);
        if (note) notes.push(note);
        if (found[0]!.legs.rerank) legs.push("rerank");
      }
      signal.throwIfAborted();
      return {
        hits: found.slice(0, limit).map(({ chunk, score, legs }) => searchHit(chunk, score, legs)),
        legs,
        notes,
      };
    },
    [Symbol.dispose]() {
      lifetime.abort();
      installed?.[Symbol.dispose]();
    },
  };
}

interface Candidate {
  chunk: StoredChunk;
  score: number;
  legs: HitLegs;
}

type Found = { chunk: StoredChunk; score: number }[];

/** As the lexical leg has them, scores and all. */
function byWords(lexical: Found): Candidate[] {
  return lexical.map(({ chunk, score }, place) => ({
    chunk,
    score,
    legs: { lexical: { rank: place + 1, score }, dense: null, rerank: null },
  }));
}

function fused(lexical: Found, dense: Found): Candidate[] {
  const candidates = new Map<string, Candidate>();
  for (const candidate of byWords(lexical)) candidates.set(candidate.chunk.id, candidate);
  for (const [place, { chunk, score }] of dense.entries()) {
    const legs = candidates.get(chunk.id)?.legs ?? { lexical: null, rerank: null };
    candidates.set(chunk.id, { chunk, score, legs: { ...legs, dense: { rank: place + 1, score } } });
  }
  const idsOf = (found: Found) => found.map(({ chunk }) => chunk.id);
  return fuse([
    { ids: idsOf(lexical), weight: WEIGHTS.lexical },
    { ids: idsOf(dense), weight: WEIGHTS.dense },
  ]).map(({ id, score }) => ({ ...candidates.get(id)!, score }));
}

/** What the reranking model reads of a passage. */
function rankedText({ chunk: { title, document, headingPath, text } }: Candidate): string {
  return [title ?? document, ...headingPath, text].join("\n");
}
