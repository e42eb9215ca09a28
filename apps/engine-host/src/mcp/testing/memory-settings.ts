import type { SettingsTable } from "../../store/store.ts";

/** Settings that are kept in memory. */
export function memorySettings(): SettingsTable & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    get: (key) => Promise.resolve(values.get(key) ?? null),
    set: (key, value) => {
      values.set(key, value);
      return Promise.resolve();
    },
  };
}
