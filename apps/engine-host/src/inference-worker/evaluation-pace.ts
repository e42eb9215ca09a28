/** Longest step of a prompt, ms: how long a stop takes to work, and somebody else's question may have to wait. */
const longestStepMs = 150;
/** The same while others write their replies, who get a token after each step, or have less left to read. */
const sharedStepMs = 50;
/** A prompt with more left to read gets this share of a step while a shorter one is read. */
const longerPromptShare = 0.25;
/** Tokens in the first step of a model whose speed is not known yet: 405B on a CPU takes seconds for them. */
const firstStep = 8;
/**
 * From this many tokens on, llama.cpp's flash attention for CPUs works in tiles: measured with 100M parameters, steps of 64
 * tokens ran at 1300 tokens per second and steps of 32 at 310. Larger steps bring nothing on a CPU.
 */
const tileTokens = 64;
/** A step may take this much longer than it should if that makes it a whole tile. */
const tileAllowance = 1.5;
/** Weight of a measurement that is faster than the last ones, and of a slower one: it may be another program's doing. */
const faster = 0.5;
const slower = 0.2;
/** What a size of step that is not used gains in trust with each other step, so that it is tried again. */
const renewedTrust = 1.05;

/** Somebody whose tokens are being evaluated. */
export interface Evaluation {
  /** Prompt tokens still to read; 0: the reply is being written. */
  left: number;
}

/**
 * How many prompt tokens to evaluate in one step, so that stops work quickly, replies in progress go on, and short
 * questions do not wait for long documents. One for all contexts of a worker, as they share its one compute thread.
 */
export class EvaluationPace {
  readonly #isCpu: boolean;
  readonly #batchSize: number;
  readonly #active = new Set<Evaluation>();
  readonly #turns = new Set<() => void>();
  #lastDoneAt = 0;
  /** Tokens per ms in steps below and from `tileTokens`; null: not measured. */
  readonly #speeds: { small: number | null; large: number | null } = { small: null, large: null };

  constructor(options: { isCpu: boolean; batchSize: number }) {
    this.#isCpu = options.isCpu;
    this.#batchSize = options.batchSize;
  }

  /** Tokens per second at which prompts were read lately; null: not known. */
  get tokensPerSecond(): number | null {
    const speed = this.#speeds.large ?? this.#speeds.small;
    return speed === null ? null : speed * 1000;
  }

  /** One reply is being made, and no other. */
  get isAlone(): boolean {
    return this.#active.size === 1;
  }

  begin(left: number): Evaluation {
    const evaluation = { left };
    this.#active.add(evaluation);
    return evaluation;
  }

  end(evaluation: Evaluation): void {
    this.#active.delete(evaluation);
    this.#endTurn();
  }

  /** A reply got its next token. */
  wrote(startedAt: number): void {
    this.batchDone(startedAt);
    this.#endTurn();
  }

  /**
   * Resolves when a reply in progress, if there is one, got its next token: evaluated and drawn in two tasks of the compute
   * thread, it would else wait for two steps of a prompt.
   */
  async othersTurn(evaluation: Evaluation): Promise<void> {
    if (![...this.#active].some((other) => other !== evaluation && other.left === 0)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns.add(resolve);
    const timer = setTimeout(resolve, sharedStepMs);
    await promise;
    clearTimeout(timer);
    this.#turns.delete(resolve);
  }

  #endTurn(): void {
    for (const resolve of this.#turns) resolve();
  }

  /** Tokens the next step of a prompt may have, at least one. */
  nextStep(evaluation: Evaluation): number {
    const most = Math.min(evaluation.left, this.#batchSize);
    const { small, large } = this.#speeds;
    const ms = this.#stepMs(evaluation);
    if (small === null && large === null) return Math.min(most, firstStep);
    const tileSpeed = large ?? small ?? 0;
    const tiled = tileSpeed * ms;
    if (tiled * tileAllowance >= tileTokens) {
      const enough = this.#isCpu ? tileSpeed * sharedStepMs : Infinity;
      return Math.min(most, Math.max(tileTokens, Math.floor(Math.min(tiled, enough))));
    }
    return Math.max(1, Math.min(most, Math.floor((small ?? tileSpeed) * ms), tileTokens - 1));
  }

  /**
   * Some batch of some context has been computed.
   * @param startedAt when it was handed to the compute thread, which may have been at work on another then
   * @returns how long it was computed, ms
   */
  batchDone(startedAt: number): number {
    const now = performance.now();
    const ms = now - Math.max(startedAt, this.#lastDoneAt);
    this.#lastDoneAt = now;
    return ms;
  }

  /** Learns from a step of a prompt. */
  note(tokens: number, ms: number): void {
    const [size, other] = tokens < tileTokens ? (["small", "large"] as const) : (["large", "small"] as const);
    const known = this.#speeds[size];
    const speed = tokens / Math.max(ms, 0.01);
    if (known === null) this.#speeds[size] = speed;
    else this.#speeds[size] = known + (speed > known ? faster : slower) * (speed - known);
    if (this.#speeds[other] !== null) this.#speeds[other] *= renewedTrust;
  }

  #stepMs(evaluation: Evaluation): number {
    let isShared = false;
    let isLonger = false;
    for (const other of this.#active) {
      if (other === evaluation) continue;
      if (other.left === 0) isShared = true;
      else if (other.left < evaluation.left) isLonger = true;
    }
    const ms = isShared || isLonger ? sharedStepMs : longestStepMs;
    return isLonger ? ms * longerPromptShare : ms;
  }
}
