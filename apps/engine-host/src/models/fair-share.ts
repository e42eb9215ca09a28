/**
 * Cost of work in tokens. A written token counts as two read ones, as in the Virtual Token Counter of S-LoRA's authors
 * (Sheng et al., “Fairness in Serving Large Language Models”, OSDI 2024); what was found in a cache costs nothing.
 */
const writtenTokenCost = 2;

/** @param readTokens of the prompt, those found in a cache left out */
export function costOf(readTokens: number, writtenTokens: number): number {
  return Math.max(0, readTokens) + writtenTokenCost * Math.max(0, writtenTokens);
}

/**
 * Weighted fair sharing by start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996; with several servers: SFQ(D), Jin,
 * Chase and Kaur, SIGMETRICS 2004). Each user has a start tag: where their next request begins in virtual time. Whoever has
 * the smallest goes next and moves on by the request's cost over their weight. Somebody who was away starts at the present
 * and gets no credit for it. What a request really cost is known at its end: then the tag is corrected, as the Virtual Token
 * Counter does.
 */
export class FairShare {
  /** The start tag of the latest request that was started. */
  #now = 0;
  readonly #tags = new Map<string, number>();

  /** A user who had nothing here begins to want something. */
  arrive(user: string): void {
    this.#tags.set(user, this.startTag(user));
  }

  startTag(user: string): number {
    return Math.max(this.#now, this.#tags.get(user) ?? 0);
  }

  /** One who waits keeps an earlier tag than the present: they are owed it. */
  waitingTag(user: string): number {
    return this.#tags.get(user) ?? this.#now;
  }

  /** Starts a request. @param cost as expected */
  start(user: string, cost: number, weight: number): void {
    const tag = this.waitingTag(user);
    this.#now = Math.max(this.#now, tag);
    this.#tags.set(user, tag + cost / weight);
  }

  /** @param difference what a request cost more than expected; negative: less */
  correct(user: string, difference: number, weight: number): void {
    const tag = this.#tags.get(user);
    if (tag !== undefined) this.#tags.set(user, tag + difference / weight);
  }

  /** Nothing runs and nobody waits: all begin anew from here. */
  reset(): void {
    this.#tags.clear();
    this.#now = 0;
  }
}
