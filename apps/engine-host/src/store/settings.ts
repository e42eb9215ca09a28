import type { DatabaseSync } from "node:sqlite";
import { row } from "./database.ts";
import type { SettingsTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";

/** Small named values of the host. */
export function settingsTable(database: DatabaseSync): Synchronous<SettingsTable> {
  const get = database.prepare("SELECT value FROM settings WHERE key = ?");
  const set = database.prepare(
    "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  return {
    get: (key) => row<{ value: string }>(get, key)?.value ?? null,
    set: (key, value) => void set.run(key, value),
  };
}
