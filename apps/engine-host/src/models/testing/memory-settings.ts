import type { Store } from "../../store/store.ts";

/** Settings that are kept as long as the test. */
export function memorySettings(): Store["settings"] {
  const settings = new Map<string, string>();
  return {
    get: (key) => Promise.resolve(settings.get(key) ?? null),
    set: (key, value) => Promise.resolve(void settings.set(key, value)),
  };
}
