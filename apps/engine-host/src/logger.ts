import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal";
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/**
 * Writes what happened, never what was said: no question, answer, document text or key goes into a log. Events are
 * short fixed names, fields are ids, counts, codes and times.
 */
export interface Logger extends Disposable {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields, error?: unknown): void;
  error(event: string, fields?: LogFields, error?: unknown): void;
  fatal(event: string, fields?: LogFields, error?: unknown): void;
}

const order: LogLevel[] = ["debug", "info", "warn", "error", "fatal"];

export interface LogOptions {
  /** Folder for corral.log and the older corral.1.log, corral.2.log ….; null writes no file. */
  directory: string | null;
  /** Lowest level that is also written as a plain line to stderr; null: none. Default "warn". */
  stderr?: LogLevel | null;
  /** A file is put aside when it would grow beyond this. Bytes; default 5 MiB. */
  maxFileBytes?: number;
  /** How many files are kept in all. Default 4. */
  files?: number;
}

/**
 * A logger of JSON lines with rotation by size. Lines are written at once (a few microseconds each), so that the last
 * line before a crash is on disk. Never throws: a full disk must not stop the work being logged.
 */
export function openLogger(options: LogOptions): Logger {
  const stderrLevel = options.stderr === undefined ? "warn" : options.stderr;
  const file = options.directory === null ? null : new RotatingFile(options.directory, options);

  const write = (level: LogLevel, event: string, fields: LogFields = {}, error?: unknown) => {
    const entry = { time: new Date().toISOString(), level, event, pid: process.pid, ...fields, ...describe(error) };
    file?.append(JSON.stringify(entry) + "\n");
    if (stderrLevel !== null && order.indexOf(level) >= order.indexOf(stderrLevel)) {
      const reason = error === undefined ? "" : `: ${shorten(messageOf(error), 300)}`;
      process.stderr.write(`corral: ${event}${reason}\n`);
    }
  };
  return {
    debug: (event, fields) => write("debug", event, fields),
    info: (event, fields) => write("info", event, fields),
    warn: (event, fields, error) => write("warn", event, fields, error),
    error: (event, fields, error) => write("error", event, fields, error),
    fatal: (event, fields, error) => write("fatal", event, fields, error),
    [Symbol.dispose]: () => file?.close(),
  };
}

class RotatingFile {
  readonly #path: string;
  readonly #older: (age: number) => string;
  readonly #maxBytes: number;
  readonly #files: number;
  #descriptor: number | null = null;
  #bytes = 0;

  constructor(directory: string, options: LogOptions) {
    this.#path = join(directory, "corral.log");
    this.#older = (age) => join(directory, `corral.${age}.log`);
    this.#maxBytes = options.maxFileBytes ?? 5 * 2 ** 20;
    this.#files = options.files ?? 4;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#open();
    } catch {
      // Logging is best effort: a full or read-only disk is reported by the work itself.
    }
  }

  append(line: string): void {
    try {
      const bytes = Buffer.byteLength(line);
      if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) this.#rotate();
      if (this.#descriptor === null) return;
      writeSync(this.#descriptor, line);
      this.#bytes += bytes;
    } catch {
      // See above.
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #open(): void {
    this.#descriptor = openSync(this.#path, "a", 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  #rotate(): void {
    this.close();
    rmSync(this.#older(this.#files - 1), { force: true });
    for (let age = this.#files - 2; age >= 1; age--) {
      try {
        renameSync(this.#older(age), this.#older(age + 1));
      } catch {
        // That age does not exist yet.
      }
    }
    if (this.#files > 1) renameSync(this.#path, this.#older(1));
    else rmSync(this.#path, { force: true });
    this.#open();
  }
}

function describe(error: unknown): LogFields {
  if (error === undefined) return {};
  if (!(error instanceof Error)) return { error: shorten(messageOf(error), 200) };
  const cause = error.cause === undefined ? {} : { cause: shorten(messageOf(error.cause), 300) };
  // Only the frames: the message, which may quote input, is cut short.
  const frames = error.stack
    ?.split("\n")
    .filter((line) => line.trimStart().startsWith("at "))
    .slice(0, 12)
    .join("\n");
  return { error: `${error.name}: ${shorten(error.message, 200)}`, stack: frames, ...cause };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : typeof error === "string" ? error : typeof error;
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
