import type { GuessingKind } from "./guessing.ts";

/** Replies written one way before it is compared with another. */
const fewestReplies = 2;
/** Guessing must be faster by this factor, else it is not worth its noise. */
const leastGain = 1.05;
/** One reply in so many is written the slower way, to see whether that is still so. */
const trialEvery = 16;
/** Weight of the newest reply. */
const newest = 0.3;

type Way = GuessingKind | "none";

/** How fast replies of one model were written with and without guessing ahead: the running measurement that decides. */
export class GuessingRecord {
  readonly #ways = new Map<Way, { tokensPerMs: number; replies: number }>();
  #choices = 0;

  /** Whether to guess in the next reply that may be guessed. */
  choose(kind: GuessingKind): GuessingKind | null {
    const guessed = this.#ways.get(kind);
    const plain = this.#ways.get("none");
    if (!guessed || guessed.replies < fewestReplies) return kind;
    if (!plain || plain.replies < fewestReplies) return null;
    const isFaster = guessed.tokensPerMs >= plain.tokensPerMs * leastGain;
    const isTrial = ++this.#choices % trialEvery === 0;
    return isFaster !== isTrial ? kind : null;
  }

  /** Notes a reply that could have been written either way, by a model that did nothing else meanwhile. */
  note(kind: GuessingKind | null, tokens: number, ms: number): void {
    const way = kind ?? "none";
    const tokensPerMs = tokens / Math.max(ms, 0.01);
    const known = this.#ways.get(way);
    if (!known) this.#ways.set(way, { tokensPerMs, replies: 1 });
    else {
      known.tokensPerMs += newest * (tokensPerMs - known.tokensPerMs);
      known.replies++;
    }
  }
}
