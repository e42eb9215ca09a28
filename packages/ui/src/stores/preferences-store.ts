import { createStore, type StoreApi } from "zustand/vanilla";

export type Theme = "light" | "dark" | "system";

/** Kept in this browser, not on the host: they belong to the screen, not to the conversation. `sourceWidth` in CSS pixels. */
export interface Preferences {
  readonly theme: Theme;
  readonly sourceWidth: number;
  /** Opened again after a reload. */
  readonly lastConversationId: string | null;
}

export interface PreferencesState extends Preferences {
  set(change: Partial<Preferences>): void;
}

const STORAGE_NAME = "corral.preferences";
const initial: Preferences = { theme: "system", sourceWidth: 460, lastConversationId: null };

/** The user's own way of looking at Corral. */
export function createPreferencesStore(): StoreApi<PreferencesState> {
  const store = createStore<PreferencesState>()((set) => ({ ...initial, ...read(), set: (change) => set(change) }));
  store.subscribe(({ set: _action, ...preferences }) => {
    try {
      window.localStorage.setItem(STORAGE_NAME, JSON.stringify(preferences));
    } catch {
      // Storage can be switched off in the browser; preferences then last as long as the page.
    }
  });
  return store;
}

function read(): Partial<Preferences> {
  try {
    const kept = JSON.parse(window.localStorage.getItem(STORAGE_NAME) ?? "{}") as Record<string, unknown>;
    const known = Object.entries(initial).filter(([name, value]) => isSameKind(kept[name], value));
    return Object.fromEntries(known.map(([name]) => [name, kept[name]]));
  } catch {
    return {};
  }
}

function isSameKind(kept: unknown, value: unknown): boolean {
  return value === null ? typeof kept === "string" || kept === null : typeof kept === typeof value;
}
