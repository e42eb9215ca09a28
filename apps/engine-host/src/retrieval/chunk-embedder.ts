import { CorralError } from "@corral/protocol";
import type { Embedder } from "../models/models.ts";
import type { Store } from "../store/store.ts";

/** Chunks that are embedded and stored together: what a crash of the host or a pause costs at most. */
const BATCH = 64;
/** A chunk that failed so often on its own is given up. */
const MOST_FAILURES = 2;
/** A text that is too long is cut a little shorter than counting says, as tokens do not all have the same length. */
const CUT = 0.95;

interface Chunk {
  key: number;
  text: string;
}

/** Embeds chunks batch by batch, past those that cannot be embedded. */
export class ChunkEmbedder {
  /** Chunks of which only the beginning was embedded, as they are too long for the model. */
  shortened = 0;
  /** Chunks that were given up. */
  readonly failed = new Set<number>();
  /** Chunks of batches that failed, with how often each failed alone: they are tried one by one. */
  readonly #suspects = new Map<number, number>();
  readonly #vectors: Store["vectors"];
  /** Chunks up to this key have their vector, or were given up. */
  #done = 0;

  constructor({ vectors }: Pick<Store, "vectors">) {
    this.#vectors = vectors;
  }

  /**
   * Embeds the next chunks that lack a vector and stores the vectors. Always to be called with the same model.
   * @returns how many chunks; null: none was left
   * @throws what the model throws; the chunks are then tried alone the next time
   */
  async next(embedder: Embedder, signal: AbortSignal): Promise<number | null> {
    const missing = await this.#vectors.missing(embedder.id, this.#done, BATCH);
    if (missing.length === 0) return null;
    const alone = missing.findIndex(({ key }) => this.#suspects.has(key));
    const batch = alone < 0 ? missing : missing.slice(0, Math.max(1, alone));
    const wanted = batch.filter(({ key }) => !this.failed.has(key));
    try {
      const vectors = await this.#embed(embedder, wanted, signal);
      await this.#vectors.add(
        embedder.id,
        wanted.map(({ key }, i) => ({ key, vector: vectors[i]! })),
      );
      for (const { key } of wanted) this.#suspects.delete(key);
    } catch (error) {
      if (!signal.aborted) this.#suspect(wanted);
      throw error;
    }
    this.#done = batch.at(-1)!.key;
    return wanted.length;
  }

  #suspect(chunks: Chunk[]): void {
    for (const { key } of chunks) {
      const failures = (this.#suspects.get(key) ?? 0) + (chunks.length === 1 ? 1 : 0);
      if (failures < MOST_FAILURES) {
        this.#suspects.set(key, failures);
        continue;
      }
      this.#suspects.delete(key);
      this.failed.add(key);
    }
  }

  async #embed(embedder: Embedder, chunks: Chunk[], signal: AbortSignal): Promise<Float32Array[]> {
    if (chunks.length === 0) return [];
    try {
      return await embedder.embed(
        chunks.map(({ text }) => text),
        "document",
        signal,
      );
    } catch (error) {
      if (signal.aborted || !isTooLong(error)) throw error;
      const [first] = chunks;
      if (chunks.length === 1) return [await this.#embedBeginning(embedder, first!.text, error, signal)];
      const half = chunks.length >> 1;
      return [
        ...(await this.#embed(embedder, chunks.slice(0, half), signal)),
        ...(await this.#embed(embedder, chunks.slice(half), signal)),
      ];
    }
  }

  async #embedBeginning(
    embedder: Embedder,
    text: string,
    tooLong: CorralError<"CONTEXT_OVERFLOW">,
    signal: AbortSignal,
  ): Promise<Float32Array> {
    const { promptTokens, contextTokens } = tooLong.data;
    const share = Math.min(contextTokens / promptTokens, 1) * CUT;
    const beginning = text.slice(0, Math.floor(text.length * share));
    if (beginning.length === 0) throw tooLong;
    try {
      const [vector] = await embedder.embed([beginning], "document", signal);
      this.shortened++;
      return vector!;
    } catch (error) {
      if (signal.aborted || !isTooLong(error)) throw error;
      return this.#embedBeginning(embedder, beginning, error, signal);
    }
  }
}

function isTooLong(error: unknown): error is CorralError<"CONTEXT_OVERFLOW"> {
  return error instanceof CorralError && error.code === "CONTEXT_OVERFLOW";
}
