import type { UserLimits } from "@corral/protocol";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Why a user has to wait, and for how long. */
export interface Exhausted {
  limit: "tokens-per-minute" | "tokens-per-day";
  retryAfterMs: number;
}

/** How many tokens each user took in the last minute and the last 24 hours. Pure: `now` is any monotonic clock, ms. */
export class TokenUsage {
  readonly #minute = new Map<string, SlidingSum>();
  readonly #day = new Map<string, SlidingSum>();

  /** @param tokens negative to give back what was noted too high */
  note(user: string, tokens: number, now: number): void {
    sumOf(this.#minute, user, minuteMs, 60).add(tokens, now);
    sumOf(this.#day, user, dayMs, 96).add(tokens, now);
  }

  /** Null: the user may go on. */
  exhausted(user: string, limits: Pick<UserLimits, "tokensPerMinute" | "tokensPerDay">, now: number): Exhausted | null {
    const { tokensPerMinute, tokensPerDay } = limits;
    const day = tokensPerDay === null ? 0 : (this.#day.get(user)?.msUntilBelow(tokensPerDay, now) ?? 0);
    if (day > 0) return { limit: "tokens-per-day", retryAfterMs: day };
    const minute = tokensPerMinute === null ? 0 : (this.#minute.get(user)?.msUntilBelow(tokensPerMinute, now) ?? 0);
    return minute > 0 ? { limit: "tokens-per-minute", retryAfterMs: minute } : null;
  }
}

function sumOf(sums: Map<string, SlidingSum>, user: string, windowMs: number, steps: number): SlidingSum {
  let sum = sums.get(user);
  if (!sum) sums.set(user, (sum = new SlidingSum(windowMs, steps)));
  return sum;
}

/** A sum over a window that slides on in steps. */
class SlidingSum {
  readonly #stepMs: number;
  readonly #steps: number;
  /** By number of the step, oldest first. */
  readonly #parts = new Map<number, number>();

  constructor(windowMs: number, steps: number) {
    this.#stepMs = windowMs / steps;
    this.#steps = steps;
  }

  add(amount: number, now: number): void {
    const step = Math.floor(now / this.#stepMs);
    this.#drop(step);
    this.#parts.set(step, (this.#parts.get(step) ?? 0) + amount);
  }

  /** 0: it is below already. */
  msUntilBelow(limit: number, now: number): number {
    this.#drop(Math.floor(now / this.#stepMs));
    let sum = 0;
    for (const amount of this.#parts.values()) sum += amount;
    for (const [step, amount] of this.#parts) {
      if (sum < limit) break;
      sum -= amount;
      if (sum < limit) return Math.ceil((step + this.#steps) * this.#stepMs - now);
    }
    return 0;
  }

  #drop(step: number): void {
    for (const old of this.#parts.keys()) if (old <= step - this.#steps) this.#parts.delete(old);
  }
}
