import type { ModelSummary } from "@corral/protocol";
import type { Models } from "../models/models.ts";

/** Which models of the two kinds that search uses are installed, kept up to date, so that no search has to ask. */
export class InstalledModels implements Disposable {
  readonly #stop = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #embedders: string[] = [];
  #hasReranker = false;
  /** The embedding models and which of them was chosen. */
  #choice = "";

  /** @param onChange called when other embedding models are installed or chosen than before; not when one is merely loaded */
  constructor(models: Pick<Models, "watch" | "settings">, onChange: () => void = () => {}) {
    this.#follow(models, onChange).then(this.#first.resolve, (error: unknown) => {
      // Who asks finds no models then, and says so.
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

  async #follow(models: Pick<Models, "watch" | "settings">, onChange: () => void): Promise<void> {
    for await (const list of models.watch(this.#stop.signal)) {
      const idsOf = (ability: ModelSummary["ability"]) =>
        list.filter((model) => model.ability === ability).map(({ id }) => id);
      this.#embedders = idsOf("embed");
      this.#hasReranker = idsOf("rank").length > 0;
      const choice = JSON.stringify([(await models.settings()).embeddingModel, ...this.#embedders.toSorted()]);
      this.#first.resolve();
      if (choice === this.#choice) continue;
      this.#choice = choice;
      onChange();
    }
  }
}
