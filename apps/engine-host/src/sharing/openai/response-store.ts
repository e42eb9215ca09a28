import type { EngineMessage } from "../../engines/engine.ts";
import type { ResponseObject } from "./response-events.ts";

/** Of all kept responses together, characters of their JSON. */
const mostCharacters = 32 * 1024 * 1024;

/** A response that can be gone on from. */
export interface StoredResponse {
  /** Whose it is; nobody else can read or continue it. */
  user: string;
  response: ResponseObject;
  /** The conversation up to and with this response, without instructions: those are each request's own. */
  messages: EngineMessage[];
}

/**
 * Responses that were asked with `store`, in memory only: nothing a program asks is written to disk behind its back. The
 * oldest give way, and a restart of the host forgets all.
 */
export class StoredResponses {
  readonly #entries = new Map<string, StoredResponse & { size: number }>();
  readonly #most: number;
  #size = 0;

  constructor(most = mostCharacters) {
    this.#most = most;
  }

  keep(entry: StoredResponse): void {
    const size = JSON.stringify(entry).length;
    if (size > this.#most) return;
    this.#entries.set(entry.response.id, { ...entry, size });
    this.#size += size;
    for (const id of this.#entries.keys()) {
      if (this.#size <= this.#most) break;
      this.#drop(id);
    }
  }

  find(id: string, user: string): StoredResponse | null {
    const entry = this.#entries.get(id);
    return entry?.user === user ? entry : null;
  }

  /** Whether there was such a response. */
  remove(id: string, user: string): boolean {
    if (this.find(id, user) === null) return false;
    this.#drop(id);
    return true;
  }

  #drop(id: string): void {
    this.#size -= this.#entries.get(id)?.size ?? 0;
    this.#entries.delete(id);
  }
}
