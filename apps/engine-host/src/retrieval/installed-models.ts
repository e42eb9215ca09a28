import type { ModelSummary } from "@corral/protocol";
import type { Models } from "../models/models.ts";

/** Whether models of the two kinds that search uses are installed, kept up to date, so that no search has to ask. */
export class InstalledModels implements Disposable {
  readonly #stop = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  readonly #onChange: () => void;
  #embedders: string[] = [];
  #hasReranker = false;

  /** @param onChange called after each change, also the first time the list is known */
  constructor(models: Pick<Models, "watch">, onChange: () => void = () => {}) {
    this.#onChange = onChange;
    this.#follow(models).then(this.#first.resolve, (error: unknown) => {
      // Nobody may be asking; who does finds no models, and says so.
      this.#first.resolve();
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  /** Ids of the embedding models. */
  async embedders(): Promise<readonly string[]> {
    await this.#first.promise;
    return this.#embedders;
  }

  async hasReranker(): Promise<boolean> {
    await this.#first.promise;
    return this.#hasReranker;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #follow(models: Pick<Models, "watch">): Promise<void> {
    for await (const list of models.watch(this.#stop.signal)) {
      const ofAbility = (ability: ModelSummary["ability"]) => list.filter((model) => model.ability === ability);
      this.#embedders = ofAbility("embed").map(({ id }) => id);
      this.#hasReranker = ofAbility("rank").length > 0;
      this.#first.resolve();
      this.#onChange();
    }
  }
}
