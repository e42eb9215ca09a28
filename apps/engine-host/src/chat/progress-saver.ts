import type { MessageTable } from "../store/store.ts";
import type { Clock } from "./clock.ts";

/** ms between two saves of a reply that is being written: what a power cut can cost. */
const saveIntervalMs = 1000;

/** Saves the text of a reply while it grows, about once a second and one save at a time. */
export class ProgressSaver {
  readonly #messageId: string;
  readonly #messages: Pick<MessageTable, "saveProgress">;
  readonly #clock: Clock;
  #text = "";
  #cancelTimer: (() => void) | null = null;
  #saving: Promise<void> = Promise.resolve();
  #failure: Error | null = null;

  constructor(messageId: string, messages: Pick<MessageTable, "saveProgress">, clock: Clock) {
    this.#messageId = messageId;
    this.#messages = messages;
    this.#clock = clock;
  }

  /** Notes the text so far. @throws what an earlier save failed with, such as DISK_FULL */
  changed(text: string): void {
    if (this.#failure !== null) throw this.#failure;
    this.#text = text;
    this.#cancelTimer ??= this.#clock.after(saveIntervalMs, () => this.#save());
  }

  /** Calls off what is planned and waits for what is under way. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#saving;
  }

  #save(): void {
    this.#cancelTimer = null;
    this.#saving = this.#saving
      .then(() => this.#messages.saveProgress(this.#messageId, this.#text))
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      });
  }
}
