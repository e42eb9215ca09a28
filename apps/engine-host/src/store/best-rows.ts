/** A row by its slot (vector-segments.ts). */
export interface ScoredRow {
  slot: number;
  score: number;
}

/** The rows with the highest scores of many; equal scores in the order they were added. */
export class HighestRows {
  readonly #limit: number;
  #rows: ScoredRow[] = [];
  /** A row must score more to be added. */
  least = -Infinity;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(slot: number, score: number): void {
    // Sorted only now and then: most rows of a scan stay below the least.
    if (this.#rows.push({ slot, score }) >= 2 * this.#limit) this.#cut();
  }

  /** Best first. */
  ranked(): ScoredRow[] {
    this.#cut();
    return this.#rows;
  }

  #cut(): void {
    this.#rows.sort((a, b) => b.score - a.score);
    if (this.#rows.length < this.#limit) return;
    this.#rows.length = this.#limit;
    this.least = this.#rows.at(-1)!.score;
  }
}

/** The rows with the smallest distances of many, a list for each distance; equal distances in the order they were added. */
export class NearestRows {
  readonly #limit: number;
  readonly #slots: number[][];
  #kept = 0;
  /** A row must be nearer to be added. */
  most: number;

  /** @param largest the largest distance there can be */
  constructor(limit: number, largest: number) {
    this.#limit = limit;
    this.#slots = Array.from({ length: largest + 1 }, () => []);
    this.most = largest + 1;
  }

  add(slot: number, distance: number): void {
    this.#slots[distance]!.push(slot);
    this.#kept++;
    // Lists at the far end go as soon as there are enough without them.
    for (;;) {
      const farthest = this.#slots[this.most - 1]!;
      if (this.#kept - farthest.length < this.#limit) return;
      this.#kept -= farthest.length;
      farthest.length = 0;
      this.most--;
    }
  }

  /** Nearest first. */
  ranked(): number[] {
    return this.#slots.slice(0, this.most).flat().slice(0, this.#limit);
  }
}
