import type { Store } from "../store/store.ts";

const key = "retrieval.vector-model";

/** The embedding model whose vectors answer, kept in the store: while everything is embedded anew it is the earlier one. */
export class AnsweringModel {
  readonly #settings: Store["settings"];

  constructor({ settings }: Pick<Store, "settings">) {
    this.#settings = settings;
  }

  /** Null: none was ever chosen. */
  get(): Promise<string | null> {
    return this.#settings.get(key);
  }

  async set(id: string): Promise<void> {
    if ((await this.get()) !== id) await this.#settings.set(key, id);
  }
}
