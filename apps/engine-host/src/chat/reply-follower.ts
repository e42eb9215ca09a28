import type { GenerationPart } from "@corral/protocol";

/**
 * One reader of a reply. Its queue is bounded however slow it is: waiting text grows into one part, of each progress only
 * the newest waits, and there are at most as many citations as passages. No text is lost or repeated.
 */
export class ReplyFollower {
  readonly #queue: GenerationPart[];
  #wake: (() => void) | null = null;
  #ended = false;

  constructor(snapshot: GenerationPart) {
    this.#queue = [snapshot];
  }

  push(part: GenerationPart): void {
    const index = this.#queue.findLastIndex((queued) => queued.type === part.type);
    const queued = this.#queue[index];
    if (part.type === "text-delta" && queued?.type === "text-delta") {
      this.#queue[index] = { type: "text-delta", text: queued.text + part.text };
    } else if (queued !== undefined && (part.type === "waiting" || part.type === "prefill-progress")) {
      this.#queue[index] = part;
    } else {
      this.#queue.push(part);
    }
    this.#wake?.();
  }

  /** Nothing more will come; what is queued can still be read. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *parts(signal: AbortSignal): AsyncGenerator<GenerationPart, void> {
    const onAbort = () => this.#wake?.();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const part = this.#queue.shift();
        if (part !== undefined) yield part;
        else if (this.#ended) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
