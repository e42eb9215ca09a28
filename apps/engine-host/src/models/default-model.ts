import type { ModelSummary } from "@corral/protocol";
import { z } from "zod";
import type { Store } from "../store/store.ts";
import { quotesOnly, type LibraryModel } from "./model-library.ts";
import type { ServingSettingsRecord } from "./serving-settings.ts";

const key = "models-added-in-passing";

/** What a model can be asked. A damaged file is taken for one that converses, as most do. */
export function abilityOf(model: LibraryModel): ModelSummary["ability"] {
  const purpose = model.header?.purpose ?? "generate";
  if (purpose !== "generate") return purpose;
  return quotesOnly(model) ? "quote" : "chat";
}

/**
 * Which model answers questions that name none: the one the owner chose; else the first that was added to converse; else the
 * reader. A model that was only named once in passing (`corral ask --model FILE`) is not chosen by that.
 */
export class DefaultModel {
  readonly #settings: Store["settings"];
  readonly #serving: ServingSettingsRecord;

  constructor(settings: Store["settings"], serving: ServingSettingsRecord) {
    this.#settings = settings;
    this.#serving = serving;
  }

  /** The default model first; those that cannot answer questions after those that can; files that are gone last. */
  async order(models: readonly LibraryModel[]): Promise<LibraryModel[]> {
    const { defaultModel } = await this.#serving.read();
    const passing = await this.#inPassing();
    const rank = (model: LibraryModel) => {
      if (model.isAbsent) return 9;
      switch (abilityOf(model)) {
        case "chat":
          return model.id === defaultModel ? 0 : passing.has(model.id) ? 4 : 1;
        case "quote":
          return model.id === defaultModel ? 0 : model.embedded ? 2 : 3;
        case "embed":
          return 5;
        case "rank":
          return 6;
      }
    };
    return models.toSorted((a, b) => rank(a) - rank(b));
  }

  /** @param inPassing it was added only because somebody named its file */
  async noteAdded(id: string, inPassing: boolean, isNew: boolean): Promise<void> {
    const passing = await this.#inPassing();
    if (inPassing && isNew) passing.add(id);
    else if (inPassing || !passing.delete(id)) return;
    await this.#settings.set(key, JSON.stringify([...passing]));
  }

  async noteRemoved(id: string): Promise<void> {
    const passing = await this.#inPassing();
    if (passing.delete(id)) await this.#settings.set(key, JSON.stringify([...passing]));
  }

  async #inPassing(): Promise<Set<string>> {
    const stored = await this.#settings.get(key);
    const parsed = stored === null ? null : z.array(z.string()).safeParse(JSON.parse(stored));
    return new Set(parsed?.data ?? []);
  }
}
