import {
  DraftSequenceTokenPredictor,
  InputLookupTokenPredictor,
  TokenPredictor,
  type LlamaContextSequence,
  type Token,
} from "node-llama-cpp";

/** How tokens may be guessed ahead: from what the prompt says, or by a smaller model. */
export type GuessingKind = "prompt-lookup" | "draft";

/** Tokens that must agree before the prompt is taken for a guide, and how many are guessed then. */
const lookup = { patternLength: { min: 2 }, predictionLength: { min: 2, max: 10 } };
/** A draft model is waited for until it has guessed so many tokens, or is no longer sure. */
const draftTokens = { minTokens: 4, maxTokens: 8, minConfidence: 0.6 };

/**
 * Guesses the next tokens of one sequence, or not: node-llama-cpp takes its predictor when a sequence is made, but whether
 * guessing pays is known only later, request by request. The guesses are checked by the model: they change its speed only.
 */
export class Guessing extends TokenPredictor {
  readonly #lookup = new InputLookupTokenPredictor(lookup);
  readonly #draft: DraftSequenceTokenPredictor | null;
  #used: TokenPredictor | null = null;

  /** @param draftSequence of a model with the same vocabulary; null: there is none */
  constructor(draftSequence: LlamaContextSequence | null) {
    super();
    this.#draft = draftSequence && new DraftSequenceTokenPredictor(draftSequence, draftTokens);
  }

  get hasDraft(): boolean {
    return this.#draft !== null;
  }

  /** From now on. @param prompt what may be quoted */
  use(kind: GuessingKind | null, prompt: readonly Token[]): void {
    this.#used = kind === "prompt-lookup" ? this.#lookup : kind === "draft" ? this.#draft : null;
    if (kind === "prompt-lookup") this.#lookup.updateInputTokens([...prompt]);
  }

  override reset(state: Parameters<TokenPredictor["reset"]>[0]): Promise<void> | void {
    return this.#used?.reset(state);
  }

  override pushTokens(tokens: Token[]): void {
    this.#used?.pushTokens(tokens);
  }

  override predictTokens(): Promise<Token[]> | Token[] {
    return this.#used?.predictTokens() ?? [];
  }

  override stop(untilPredictionsExhausted?: boolean): Promise<void> | void {
    return this.#used?.stop(untilPredictionsExhausted);
  }

  override dispose(): void {
    this.#lookup.dispose();
    this.#draft?.dispose();
  }
}
