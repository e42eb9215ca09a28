import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { CorralError } from "@corral/protocol";

/** The oldest SQLite that is safe for us: 3.51.3 fixed a rare corruption when a WAL file is reset by two connections. */
const MINIMUM_SQLITE = [3, 51, 3] as const;

/** What every connection must run with; `PRAGMA name` answers the value, and opening fails where it does not. */
const requiredPragmas: Record<string, string | number> = {
  journal_mode: "wal",
  /** 2 = FULL: a commit is on disk before it is acknowledged. */
  synchronous: 2,
  foreign_keys: 1,
  /** A schema from elsewhere cannot call functions with side effects. */
  trusted_schema: 0,
  /** Milliseconds to wait for a lock another connection holds. */
  busy_timeout: 10_000,
  /** A failing disk gives an error instead of SIGBUS. */
  mmap_size: 0,
  /** 2 = FAST: overwrite deleted content wherever that costs no extra write. */
  secure_delete: 2,
};

/** The database file of a data directory. */
export function databasePath(dataDirectory: string): string {
  return join(dataDirectory, "corral.sqlite");
}

/**
 * Opens one connection to the data directory's database with the pragmas of the design in force.
 * @param role "write" creates directory and file where missing; "read" cannot change anything
 * @throws CorralError DATA_DIRECTORY_NOT_WRITABLE, DISK_FULL, FILE_UNREADABLE (the database is damaged)
 */
export function openDatabase(dataDirectory: string, role: "read" | "write"): DatabaseSync {
  return withStorageErrors(dataDirectory, () => {
    if (role === "write") mkdirSync(dataDirectory, { recursive: true });
    const database = new DatabaseSync(databasePath(dataDirectory), {
      readOnly: role === "read",
      timeout: 10_000,
      defensive: true,
    });
    try {
      database.exec(`
        PRAGMA journal_mode = wal;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA mmap_size = 0;
        PRAGMA secure_delete = FAST;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -32000;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA wal_autocheckpoint = 8192;
      `);
      assertPragmas(database);
      // SQLite opens a write-protected file read-only without a word; taking the write lock finds that out now.
      if (role === "write") inTransaction(database, "write", () => {});
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** The pragmas in force, by name. */
export function readPragmas(database: DatabaseSync): Record<string, string | number> {
  const names = Object.keys(requiredPragmas);
  return Object.fromEntries(
    names.map((name) => [
      name,
      Object.values(database.prepare(`PRAGMA ${name}`).get() ?? { none: "none" })[0] as string,
    ]),
  );
}

export function sqliteVersion(database: DatabaseSync): string {
  return row<{ version: string }>(database.prepare("SELECT sqlite_version() AS version"))!.version;
}

/** @throws Error naming the first thing that is not as the design demands */
function assertPragmas(database: DatabaseSync): void {
  const version = sqliteVersion(database);
  const parts = version.split(".").map(Number);
  const older = MINIMUM_SQLITE.findIndex((minimum, i) => (parts[i] ?? 0) !== minimum);
  if (older >= 0 && (parts[older] ?? 0) < MINIMUM_SQLITE[older]!)
    throw new Error(`This Node carries SQLite ${version}; Corral needs ${MINIMUM_SQLITE.join(".")} or newer.`);
  for (const [name, value] of Object.entries(readPragmas(database)))
    if (value !== requiredPragmas[name])
      throw new Error(`SQLite runs with ${name} = ${value}, but Corral needs ${requiredPragmas[name]}.`);
}

/** Runs `work` in one transaction: committed when it returns, undone when it throws. */
export function inTransaction<Result>(database: DatabaseSync, mode: "read" | "write", work: () => Result): Result {
  database.exec(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk may have rolled the transaction back already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** First row of a statement, typed by the caller. */
export function row<Row>(statement: StatementSync, ...values: SQLInputValue[]): Row | undefined {
  return statement.get(...values) as Row | undefined;
}

/** All rows of a statement, typed by the caller. */
export function rows<Row>(statement: StatementSync, ...values: SQLInputValue[]): Row[] {
  return statement.all(...values) as Row[];
}

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const SQLITE_PERM = 3;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Runs `work`, turning what a disk can do to us into errors people can act on; other errors pass through. */
export function withStorageErrors<Result>(dataDirectory: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw storageError(dataDirectory, error) ?? error;
  }
}

function storageError(directory: string, thrown: unknown): CorralError | null {
  if (!(thrown instanceof Error) || thrown instanceof CorralError) return null;
  const { errcode, code } = thrown as Error & { errcode?: number; code?: string };
  const reason = thrown.message;
  const cause = { cause: thrown };
  if (errcode !== undefined) {
    switch (errcode & 0xff) {
      case SQLITE_FULL:
        return diskFull(directory, cause);
      case SQLITE_PERM:
      case SQLITE_READONLY:
      case SQLITE_IOERR:
      case SQLITE_CANTOPEN:
        return notWritable(directory, reason, cause);
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return new CorralError(
          "FILE_UNREADABLE",
          `Corral's database ${databasePath(directory)} is damaged (${reason}); restore it from a backup or move it away to start anew.`,
          { file: databasePath(directory), reason },
          cause,
        );
    }
    return null;
  }
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(directory, cause);
  if (code && ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENOENT", "EIO"].includes(code))
    return notWritable(directory, reason, cause);
  return null;
}

function diskFull(directory: string, cause: ErrorOptions): CorralError {
  return new CorralError(
    "DISK_FULL",
    `The disk that holds ${directory} is full; free some space there and try again.`,
    { directory },
    cause,
  );
}

function notWritable(directory: string, reason: string, cause: ErrorOptions): CorralError {
  return new CorralError(
    "DATA_DIRECTORY_NOT_WRITABLE",
    `Corral cannot write to ${directory} (${reason}); make it writable or choose another directory with --data.`,
    { directory, reason },
    cause,
  );
}
