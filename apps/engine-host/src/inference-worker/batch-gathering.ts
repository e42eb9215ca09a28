import type { CustomBatchingPrioritizationStrategy, EvaluationPriority, PrioritizedBatchItem } from "node-llama-cpp";

/** What prompts are read with; replies are written with node-llama-cpp's own, the highest. */
export const readingPriority: EvaluationPriority = 1;

/** How often a batch is put off for a reply's next token: it takes three turns of the microtask queue, guessing some more. */
const mostPutOffs = 32;

/**
 * Puts the batches of one context together. node-llama-cpp would start the next batch the moment a token is sampled, before
 * the reply it belongs to has asked for its next one: two replies were never evaluated together, eight by seven (counted).
 * So a batch waits until all replies in progress are in it. Replies come first, prompts fill what is left.
 */
export class BatchGathering {
  #writing = 0;
  #putOffs = 0;
  #startedAt = 0;

  /** When the last batch was handed to the compute thread. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** A reply is being written from now on. */
  begin(): void {
    this.#writing++;
  }

  end(): void {
    this.#writing--;
  }

  readonly strategy: CustomBatchingPrioritizationStrategy = ({ items, size }) => {
    const replies = items.filter(({ evaluationPriority }) => evaluationPriority > readingPriority);
    if (replies.length < this.#writing && this.#putOffs < mostPutOffs) {
      this.#putOffs++;
      // Nothing yet: node-llama-cpp asks again after others had their turn.
      return [];
    }
    this.#putOffs = 0;
    this.#startedAt = performance.now();
    const prompts = items.filter(({ evaluationPriority }) => evaluationPriority <= readingPriority);
    const batch: PrioritizedBatchItem[] = [];
    let left = size;
    for (const item of [...replies, ...prompts.toSorted((a, b) => a.tokens.length - b.tokens.length)]) {
      const processAmount = Math.min(item.tokens.length, left);
      if (processAmount > 0) batch.push({ item, processAmount });
      left -= processAmount;
    }
    return batch;
  };
}
