import { DatabaseSync } from "node:sqlite";

/**
 * Takes the one lock of a data directory, or answers null when another process (or another host in this one) has it.
 *
 * The lock is an SQLite exclusive transaction on an empty file, that is a lock of the operating system: the kernel drops it
 * the moment its process ends, however it ends. So there is no stale lock to recognise, no process id that could
 * meanwhile belong to another program, and no moment at which two starters both believe they own it.
 */
export function takeDirectoryLock(file: string): Disposable | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

/** SQLITE_BUSY (https://sqlite.org/rescode.html#busy). */
function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown }).errcode === 5;
}
