import { abortable, cancelled } from "./abortable.ts";

/** Work on texts in an embedding or ranking worker: one piece at a time, and those somebody waits for before the others. */
export class TextTurns {
  readonly #urgent: (() => void)[] = [];
  readonly #patient: (() => void)[] = [];
  #busy = false;

  get queued(): number {
    return this.#urgent.length + this.#patient.length;
  }

  get running(): number {
    return this.#busy ? 1 : 0;
  }

  /** Runs `work` in its turn. @throws CorralError CANCELLED, and what `work` throws */
  async run<Result>(isUrgent: boolean, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.#turn(isUrgent ? this.#urgent : this.#patient, signal);
    try {
      if (signal.aborted) throw cancelled();
      return await work();
    } finally {
      this.#busy = false;
      this.#next();
    }
  }

  async #turn(line: (() => void)[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    const { promise, resolve } = Promise.withResolvers<void>();
    line.push(resolve);
    this.#next();
    try {
      await abortable(promise, signal);
    } catch (error) {
      const at = line.indexOf(resolve);
      if (at >= 0) line.splice(at, 1);
      else {
        // The turn had come in the same moment: it goes on to the next.
        this.#busy = false;
        this.#next();
      }
      throw error;
    }
  }

  #next(): void {
    if (this.#busy) return;
    const next = this.#urgent.shift() ?? this.#patient.shift();
    if (!next) return;
    this.#busy = true;
    next();
  }
}
