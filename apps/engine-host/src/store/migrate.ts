import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CorralError } from "@corral/protocol";
import { databasePath, inTransaction, row } from "./database.ts";
import { firstSchema } from "./migrations/0001-first-schema.ts";
import { fitMeasurements } from "./migrations/0002-fit-measurements.ts";
import { postings } from "./migrations/0003-postings.ts";
import { followedFolders } from "./migrations/0004-followed-folders.ts";
import { toolSteps } from "./migrations/0005-tool-steps.ts";
import { postingBlocks } from "./migrations/0006-posting-blocks.ts";
import { vectors } from "./migrations/0007-vectors.ts";

/** One step of the schema, from `version - 1` to `version`; never changed once released. */
export interface Migration {
  version: number;
  /** As in the file name. */
  name: string;
  /** Runs inside a transaction. */
  up(database: DatabaseSync): void;
}

/** All steps, numbered from 1 without gaps. */
export const migrations: readonly Migration[] = [
  firstSchema,
  fitMeasurements,
  postings,
  followedFolders,
  toolSteps,
  postingBlocks,
  vectors,
];

/** The schema this Corral writes. */
export const supportedSchema = migrations.length;

/** `PRAGMA user_version`: 0 for a new database. */
export function schemaVersion(database: DatabaseSync): number {
  return row<{ user_version: number }>(database.prepare("PRAGMA user_version"))!.user_version;
}

/**
 * Refuses a database that a newer Corral wrote, before anything could change it.
 * @throws CorralError DATA_DIRECTORY_NEWER
 */
export function refuseNewer(dataDirectory: string, supported: number = supportedSchema): void {
  if (!existsSync(databasePath(dataDirectory))) return;
  const database = new DatabaseSync(databasePath(dataDirectory), { readOnly: true, timeout: 10_000 });
  try {
    const schema = schemaVersion(database);
    if (schema > supported)
      throw new CorralError(
        "DATA_DIRECTORY_NEWER",
        `${dataDirectory} was written by a newer Corral (schema ${schema}, this one knows ${supported}); update Corral or choose another directory with --data.`,
        { directory: dataDirectory, schema, supported },
      );
  } finally {
    database.close();
  }
}

/**
 * Brings the database to the newest schema, one transaction per step. A database that holds something is first copied to
 * `backups/` in the data directory, and the copy is kept.
 */
export function migrate(database: DatabaseSync, dataDirectory: string, steps: readonly Migration[] = migrations): void {
  const from = schemaVersion(database);
  const missing = steps.slice(from);
  if (missing.length === 0) return;
  if (from > 0) keepCopy(database, dataDirectory, from);
  for (const step of missing)
    inTransaction(database, "write", () => {
      step.up(database);
      database.exec(`PRAGMA user_version = ${step.version}`);
    });
}

function keepCopy(database: DatabaseSync, dataDirectory: string, schema: number): void {
  const directory = join(dataDirectory, "backups");
  mkdirSync(directory, { recursive: true });
  const time = new Date().toISOString().replaceAll(/[:.]/g, "-");
  database.prepare("VACUUM INTO ?").run(join(directory, `corral-schema-${schema}-${time}.sqlite`));
}
