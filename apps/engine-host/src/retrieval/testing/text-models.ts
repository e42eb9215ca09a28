import { CorralError, type ModelSummary, type ServingSettings } from "@corral/protocol";
import { fakeDimensions, fakeRank, fakeVector } from "../../engines/fake-vectors.ts";
import { ChangeFeed } from "../../models/change-feed.ts";
import type { Embedder, Models, Reranker } from "../../models/models.ts";

/** Models that embed and rank by words in common; a test installs and removes them, slows them down and breaks them. */
export class TextModels {
  readonly #feed = new ChangeFeed();
  #installed: { id: string; ability: "embed" | "rank" }[] = [];
  /** Leases that are held. */
  held = 0;
  /** Times a model was asked for. */
  acquired = 0;
  /** Texts of documents that were embedded, by model. */
  readonly embedded = new Map<string, string[]>();
  /** Waited for before a model is handed out, and before each text. */
  load: () => Promise<void> = () => Promise.resolve();
  beforeText: (text: string) => Promise<void> | void = () => {};
  /** Longest text, words. */
  maxWords = 10_000;

  install(id: string, ability: "embed" | "rank"): void {
    this.#installed = [{ id, ability }, ...this.#installed];
    this.#feed.tell();
  }

  uninstall(id: string): void {
    this.#installed = this.#installed.filter((model) => model.id !== id);
    this.#feed.tell();
  }

  get models(): Pick<Models, "watch" | "settings" | "embedder" | "reranker"> {
    return {
      watch: (signal) =>
        this.#feed.watch(() => Promise.resolve(this.#installed.map((model) => model as ModelSummary)), signal),
      settings: () => Promise.resolve({ embeddingModel: null } as ServingSettings),
      embedder: async (wanted) => {
        const id = await this.#acquire("embed", wanted);
        return this.#lease({ id, dimensions: fakeDimensions, maxTokens: this.maxWords, ...this.#embedding(id) });
      },
      reranker: async (wanted) => {
        const id = await this.#acquire("rank", wanted);
        return this.#lease({ id, ...this.#ranking() });
      },
    };
  }

  async #acquire(ability: "embed" | "rank", wanted: string | null): Promise<string> {
    const found = this.#installed.find((model) => model.ability === ability && (!wanted || model.id === wanted));
    if (!found && wanted) throw new CorralError("MODEL_NOT_FOUND", `No ${wanted}.`, { model: wanted });
    if (!found) throw new CorralError("NO_MODEL", "No such model.", {});
    this.acquired++;
    // Being loaded is a change too, for whoever watches.
    this.#feed.tell();
    await this.load();
    this.#feed.tell();
    return found.id;
  }

  #lease<Kind>(model: Kind): Kind & AsyncDisposable {
    this.held++;
    return {
      ...model,
      [Symbol.asyncDispose]: () => {
        this.held--;
        return Promise.resolve();
      },
    };
  }

  #embedding(id: string): Pick<Embedder, "embed" | "countTokens"> {
    return {
      countTokens: (texts) => Promise.resolve(texts.map((text) => wordsOf(text))),
      embed: async (texts, kind, signal) => {
        for (const text of texts) {
          if (wordsOf(text) <= this.maxWords) continue;
          const data = { promptTokens: wordsOf(text), replyTokens: 0, contextTokens: this.maxWords };
          throw new CorralError("CONTEXT_OVERFLOW", "Too long.", data);
        }
        for (const text of texts) {
          await this.beforeText(text);
          signal.throwIfAborted();
        }
        if (kind === "document") this.embedded.set(id, [...(this.embedded.get(id) ?? []), ...texts]);
        // Each model has a space of its own.
        return texts.map((text) => fakeVector(id.startsWith("other") ? text.split("").reverse().join("") : text));
      },
    };
  }

  #ranking(): Pick<Reranker, "rank" | "countTokens"> {
    return {
      countTokens: (texts) => Promise.resolve(texts.map((text) => wordsOf(text))),
      rank: async (query, texts, signal) => {
        for (const text of texts) {
          await this.beforeText(text);
          signal.throwIfAborted();
        }
        return texts.map((text) => fakeRank(query, text));
      },
    };
  }
}

function wordsOf(text: string): number {
  return text.split(/\s+/).length;
}
