import { servingChanges, type ServingChanges, type ServingSettings, type UserLimits } from "@corral/protocol";
import type { Store } from "../store/store.ts";

const key = "serving";

/** Whoever sits at the machine may fill half the queue; nobody's tokens are counted unless the owner wants that. */
const ownerLimits: UserLimits = { concurrent: null, queued: 128, tokensPerMinute: null, tokensPerDay: null, weight: 1 };
const otherLimits: UserLimits = { ...ownerLimits, concurrent: 4, queued: 64 };

/**
 * Keep-alive: Ollama unloads after 5 minutes, LM Studio after 60. Here a model may take a minute to load and has the machine
 * to itself more often than not, but memory that is not used should come back within the hour: 30 minutes.
 */
const defaultServingSettings: ServingSettings = {
  keepAliveMs: 30 * 60_000,
  parallelReplies: null,
  stateBudgetBytes: null,
  queueLimit: 256,
  defaultModel: null,
  embeddingModel: null,
  rerankModel: null,
  embeddingPrefixes: null,
  draftModels: {},
  contextSizes: {},
  ownerLimits,
  otherLimits,
  userLimits: {},
};

/** The owner's choices about serving, kept in the store. */
export class ServingSettingsRecord {
  readonly #settings: Store["settings"];
  #read: Promise<ServingSettings> | null = null;
  #current = defaultServingSettings;
  /** One change at a time. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(settings: Store["settings"]) {
    this.#settings = settings;
  }

  /** As last read or changed. */
  get current(): ServingSettings {
    return this.#current;
  }

  read(): Promise<ServingSettings> {
    this.#read ??= this.#load().catch((error: unknown) => {
      this.#read = null;
      throw error;
    });
    return this.#read;
  }

  change(changes: ServingChanges): Promise<ServingSettings> {
    const changed = this.#changing.then(async () => {
      const settings = { ...(await this.read()), ...given(changes) };
      await this.#settings.set(key, JSON.stringify(settings));
      this.#current = settings;
      this.#read = Promise.resolve(settings);
      return settings;
    });
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  limitsOf(user: string): UserLimits {
    const { userLimits, ownerLimits, otherLimits } = this.#current;
    return userLimits[user] ?? (user === "owner" ? ownerLimits : otherLimits);
  }

  /** What is stored but no longer understood is left at its default. */
  async #load(): Promise<ServingSettings> {
    const text = await this.#settings.get(key);
    const stored: unknown = text === null ? {} : JSON.parse(text);
    const parsed = servingChanges.safeParse(stored);
    this.#current = { ...defaultServingSettings, ...given(parsed.data ?? {}) };
    return this.#current;
  }
}

function given(changes: ServingChanges): Partial<ServingSettings> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
