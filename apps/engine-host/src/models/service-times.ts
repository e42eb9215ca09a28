import type { GenerationStatistics } from "../engines/engine.ts";
import type { AdmissionQueue, Ticket } from "./admission-queue.ts";

/** How much the newest reply counts in a running mean. */
const newestCounts = 0.2;
/** A reply that takes longer than expected is expected to take this share of its time once more. */
const overdueShare = 0.1;

/** What requests come to, expected from those before: running means. */
export class ServiceTimes {
  #prefillMsPerToken: number | null = null;
  #decodeMsPerToken: number | null = null;
  #writtenTokens: number | null = null;

  /** As measured with whatever else was running. */
  note({ promptTokens, prefillMs, completionTokens, decodeMs }: GenerationStatistics): void {
    // Over the whole prompt: how much of it is found in a cache is part of what to expect.
    if (promptTokens > 0) this.#prefillMsPerToken = mean(this.#prefillMsPerToken, prefillMs / promptTokens);
    if (completionTokens > 1) this.#decodeMsPerToken = mean(this.#decodeMsPerToken, decodeMs / (completionTokens - 1));
    this.#writtenTokens = mean(this.#writtenTokens, completionTokens);
  }

  /** Tokens a reply with this much room is likely to take. */
  writtenTokens(room: number): number {
    return Math.min(room, Math.max(1, Math.round(this.#writtenTokens ?? room)));
  }

  /** How long a request is likely to keep its slot, ms; null: nothing was measured yet. */
  durationMs(promptTokens: number, replyRoom: number): number | null {
    if (this.#prefillMsPerToken === null || this.#decodeMsPerToken === null) return null;
    return promptTokens * this.#prefillMsPerToken + this.writtenTokens(replyRoom) * this.#decodeMsPerToken;
  }

  /** Of the latest replies; null: none was measured. */
  get tokensPerSecond(): { prefill: number | null; decode: number | null } {
    const rate = (ms: number | null) => (ms !== null && ms > 0 ? 1000 / ms : null);
    return { prefill: rate(this.#prefillMsPerToken), decode: rate(this.#decodeMsPerToken) };
  }
}

function mean(before: number | null, newest: number): number {
  return before === null ? newest : before + newestCounts * (newest - before);
}

/**
 * When those who wait will start, ms from now, by playing the queue through: each in its turn takes the slot large enough
 * that is free first. The last entry is when one more request would start that fits the smallest slot.
 * @param durationOf how long a request keeps its slot; null: not known, and then nothing is
 */
export function expectedStarts(
  queue: AdmissionQueue,
  now: number,
  durationOf: (ticket: Ticket) => number | null,
): number[] | null {
  const freeAt = queue.slots.flatMap(({ contextSize, count }) =>
    Array.from({ length: count }, () => ({ contextSize, at: 0 })),
  );
  for (const ticket of queue.running) {
    const duration = durationOf(ticket);
    if (duration === null) return null;
    const left = Math.max(ticket.startedAt + duration - now, (now - ticket.startedAt) * overdueShare);
    const slot = freeAt.find(({ contextSize, at }) => contextSize === ticket.slot && at === 0);
    if (slot) slot.at = Math.max(1, left);
  }
  const starts: number[] = [];
  const earliest = (tokens: number) =>
    freeAt
      .filter(({ contextSize }) => contextSize >= tokens)
      .reduce((first, slot) => (slot.at < first.at ? slot : first));
  for (const ticket of queue.order(now)) {
    const duration = durationOf(ticket);
    if (duration === null) return null;
    const slot = earliest(ticket.least);
    starts.push(slot.at);
    slot.at += duration;
  }
  return [...starts, earliest(0).at];
}
