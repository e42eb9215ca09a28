import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  renameSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CorralError } from "@corral/protocol";
import { takeDirectoryLock } from "./store/directory-lock.ts";

/** What the owner of a data directory leaves in host.json for other programs of the same user. */
export interface HostRecord {
  pid: number;
  /** ISO 8601. */
  since: string;
  /** Where the host answers, for example "http://127.0.0.1:7410"; null for a command that runs a host only for itself. */
  address: string | null;
}

/** A data directory this process owns until it is disposed of. */
export interface OwnedDirectory extends Disposable {
  readonly path: string;
  /** The access key of the owner: 256 random bits, base64url, the same after every start. */
  readonly key: string;
  /** Publishes where the host answers. */
  announce(address: string): void;
}

/** CORRAL_DATA_DIR, else the place this operating system keeps a program's data for a user. */
export function defaultDataDirectory(
  environment: NodeJS.ProcessEnv = process.env,
  platform = process.platform,
): string {
  const named = environment["CORRAL_DATA_DIR"];
  if (named) return resolve(named);
  const home = homedir();
  if (platform === "darwin") return join(home, "Library/Application Support/Corral");
  if (platform === "win32") return join(environment["LOCALAPPDATA"] || join(home, "AppData/Local"), "Corral");
  // The XDG base directory specification ignores relative paths.
  const xdg = environment["XDG_DATA_HOME"];
  return join(xdg?.startsWith("/") ? xdg : join(home, ".local/share"), "corral");
}

/**
 * Creates the directory when missing (0700), checks that it can be written, and takes its lock.
 * @param patienceMs how long to wait for another owner to finish
 * @throws CorralError DATA_DIRECTORY_NOT_WRITABLE, DATA_DIRECTORY_IN_USE
 */
export async function ownDirectory(
  directory: string,
  options: { patienceMs?: number; signal?: AbortSignal } = {},
): Promise<OwnedDirectory> {
  const path = resolve(directory);
  prepare(path);
  const lock = await waitForLock(path, options.patienceMs ?? 0, options.signal);
  try {
    const since = new Date().toISOString();
    const record = join(path, "host.json");
    const write = (address: string | null) => {
      const content: HostRecord = { pid: process.pid, since, address };
      writeWhole(record, JSON.stringify(content));
    };
    write(null);
    const key = ownerKey(path);
    return {
      path,
      key,
      announce: write,
      [Symbol.dispose]: () => {
        rmSync(record, { force: true });
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw asNotWritable(path, error);
  }
}

/** The record of the host that owns the directory, as far as one was written. Says nothing about whether it still runs. */
export function readHostRecord(directory: string): HostRecord | null {
  try {
    const parsed = JSON.parse(readFileSync(join(directory, "host.json"), "utf8")) as Partial<HostRecord>;
    if (typeof parsed.pid !== "number" || typeof parsed.since !== "string") return null;
    return {
      pid: parsed.pid,
      since: parsed.since,
      address: typeof parsed.address === "string" ? parsed.address : null,
    };
  } catch {
    return null;
  }
}

/** The owner's key of a data directory; null when no host ever ran on it. */
export function readOwnerKey(directory: string): string | null {
  try {
    const key = readFileSync(join(directory, "owner.key"), "utf8").trim();
    return key.length >= 43 ? key : null;
  } catch {
    return null;
  }
}

function prepare(path: string): void {
  const probe = join(path, `.writable-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    makeDirectory(path);
    closeSync(openSync(probe, "wx", 0o600));
    rmSync(probe);
  } catch (error) {
    throw asNotWritable(path, error);
  }
  try {
    // Tightens a directory that was made with a wider umask.
    if (process.platform !== "win32") chmodSync(path, 0o700);
  } catch {
    // It belongs to somebody else, who lets us write there; its mode is theirs to choose.
  }
}

/** Like a recursive mkdir of Node, which never returns where the file system refuses new entries with ENOENT (/proc). */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path || existsSync(dirname(path))) throw error;
    makeDirectory(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

async function waitForLock(path: string, patienceMs: number, signal?: AbortSignal): Promise<Disposable> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    let lock: Disposable | null;
    try {
      lock = takeDirectoryLock(join(path, "owner.lock"));
    } catch (error) {
      throw asNotWritable(path, error);
    }
    if (lock !== null) return lock;
    if (performance.now() >= deadline) throw await inUse(path);
    await delay(100, undefined, signal ? { signal } : {});
  }
}

/** Says who holds the lock. The owner writes host.json right after taking it, so a missing record is waited for briefly. */
async function inUse(path: string): Promise<CorralError> {
  let record = readHostRecord(path);
  for (let tries = 0; record === null && tries < 10; tries++) {
    await delay(50);
    record = readHostRecord(path);
  }
  const since = record?.since ?? new Date().toISOString();
  const who =
    record === null ? "Another Corral" : `Another Corral (process ${record.pid}, running since ${record.since})`;
  const where = record?.address
    ? ` Use it at ${record.address}, or stop it first.`
    : " Wait for it to finish, or stop it first.";
  return new CorralError("DATA_DIRECTORY_IN_USE", `${who} is using the data directory ${path}.${where}`, {
    directory: path,
    pid: record?.pid ?? 0,
    since,
    ...(record?.address ? { address: record.address } : {}),
  });
}

/** Reads the key, or makes it. Two programs can never see two different keys: the file appears whole or not at all. */
function ownerKey(path: string): string {
  const existing = readOwnerKey(path);
  if (existing !== null) return existing;
  const key = randomBytes(32).toString("base64url");
  writeWhole(join(path, "owner.key"), key + "\n");
  return key;
}

/** Temp file, fsync, rename: readers see the old content or the new, never part of it. Mode 0600. */
function writeWhole(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, "wx", 0o600);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

const reasons: Record<string, string> = {
  EACCES: "you have no permission to write there",
  EPERM: "you have no permission to write there",
  EROFS: "it lies on a read-only file system",
  ENOSPC: "the disk is full",
  ENOTDIR: "part of the path is a file, not a folder",
  EEXIST: "there is a file of that name",
  ENOENT: "it cannot be created",
};

function asNotWritable(path: string, error: unknown): Error {
  if (error instanceof CorralError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const reason = reasons[code] ?? (code || (error instanceof Error ? error.message : String(error)));
  return new CorralError(
    "DATA_DIRECTORY_NOT_WRITABLE",
    `Corral cannot write to its data directory ${path}: ${reason}. Choose another with --data DIR or CORRAL_DATA_DIR.`,
    { directory: path, reason },
    { cause: error },
  );
}
