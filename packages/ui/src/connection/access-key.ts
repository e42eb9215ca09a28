/** One key per address (origin), so that several hosts can be used from one browser. */
const STORAGE_NAME = "corral.key";

/**
 * The key that lets this page in. It comes in the part of the address after `#`, which browsers never send anywhere; it is
 * kept for the next visit and taken out of the address bar so that it is not copied along by mistake.
 */
export class AccessKey {
  #current: string | null;

  constructor() {
    this.#current = null;
    if (!this.takeFromAddress()) this.#current = read();
  }

  get current(): string | null {
    return this.#current;
  }

  set(key: string): void {
    this.#current = key.trim() || null;
    try {
      if (this.#current) window.localStorage.setItem(STORAGE_NAME, this.#current);
    } catch {
      // Storage can be switched off in the browser; the key then lasts as long as the page.
    }
  }

  /** Takes a key out of the address, if there is one. */
  takeFromAddress(): string | null {
    const key = new URLSearchParams(window.location.hash.slice(1)).get("key");
    if (!key) return null;
    this.set(key);
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
    return this.#current;
  }
}

function read(): string | null {
  try {
    return window.localStorage.getItem(STORAGE_NAME);
  } catch {
    return null;
  }
}
