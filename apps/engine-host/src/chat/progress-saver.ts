import type { MessageTable } from "../store/store.ts";
import type { Clock } from "./clock.ts";

/** ms between two saves of a reply that is being written: what a power cut can cost. */
const saveIntervalMs = 1000;

type Progress = Parameters<MessageTable["saveProgress"]>[1];

/** Saves a reply while it grows, about once a second and one save at a time. */
export class ProgressSaver {
  readonly #messageId: string;
  readonly #messages: Pick<MessageTable, "saveProgress">;
  readonly #clock: Clock;
  #progress: Progress = { text: "", steps: [] };
  #cancelTimer: (() => void) | null = null;
  #saving: Promise<void> = Promise.resolve();
  #failure: Error | null = null;

  constructor(messageId: string, messages: Pick<MessageTable, "saveProgress">, clock: Clock) {
    this.#messageId = messageId;
    this.#messages = messages;
    this.#clock = clock;
  }

  /** Notes what there is so far. @throws what an earlier save failed with, such as DISK_FULL */
  changed(progress: Progress): void {
    if (this.#failure !== null) throw this.#failure;
    this.#progress = progress;
    this.#cancelTimer ??= this.#clock.after(saveIntervalMs, () => this.#save());
  }

  /** Saves what there is so far before it resolves. @throws what saving fails with, such as DISK_FULL */
  async saveNow(progress: Progress): Promise<void> {
    this.changed(progress);
    this.#cancelTimer?.();
    this.#save();
    await this.#saving;
    if (this.#failure !== null) throw this.#failure;
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
      .then(() => this.#messages.saveProgress(this.#messageId, this.#progress))
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      });
  }
}
