import type { ErrorReport } from "@corral/protocol";

/** Where a command writes. Results go to stdout, everything about the way there to stderr. */
export class Output {
  readonly json: boolean;
  /** Whether a person watches stderr: progress is then redrawn in place. */
  readonly #live = process.stderr.isTTY === true;
  #lastStatus = "";

  constructor(json: boolean) {
    this.json = json;
  }

  /** The command's one result: `value` with --json, else `text`. */
  result(value: unknown, text: () => string): void {
    if (!this.json) return this.print(text());
    this.clearStatus();
    process.stdout.write(`${toJson(value)}\n`);
  }

  /** A line on stdout; nothing with --json, as that prints one value only. */
  print(text: string): void {
    if (this.json) return;
    this.clearStatus();
    process.stdout.write(`${printable(text)}\n`);
  }

  /** A heading on stdout, in bold on a terminal that wants colour. */
  heading(text: string): void {
    const isStyled = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined;
    if (this.json) return;
    this.clearStatus();
    process.stdout.write(isStyled ? `\n\x1b[1m${printable(text)}\x1b[0m\n` : `\n${printable(text)}\n`);
  }

  /** Part of a line on stdout, for text that streams in. */
  stream(text: string): void {
    if (this.json) return;
    this.clearStatus();
    process.stdout.write(printable(text));
  }

  /** A line on stderr. */
  note(text: string): void {
    this.clearStatus();
    process.stderr.write(`${printable(text)}\n`);
  }

  /** What is going on right now: one line that is redrawn for a person, and a plain line per change otherwise. */
  status(text: string, plain = text): void {
    if (this.#live) {
      const width = (process.stderr.columns || 80) - 1;
      process.stderr.write(`\r\x1b[K${printable(text).slice(0, width)}`);
      this.#lastStatus = text;
    } else if (plain !== this.#lastStatus) {
      process.stderr.write(`${printable(plain)}\n`);
      this.#lastStatus = plain;
    }
  }

  clearStatus(): void {
    if (this.#live && this.#lastStatus !== "") process.stderr.write("\r\x1b[K");
    if (this.#live) this.#lastStatus = "";
  }

  /** A failure: one line on stderr, or the error as the one JSON value. */
  failure(error: ErrorReport): void {
    this.clearStatus();
    if (this.json) process.stdout.write(`${toJson({ error })}\n`);
    else process.stderr.write(`corral: ${printable(error.message).replace(/\s*\n\s*/g, " ")}\n`);
  }
}

/** Text of documents and models could steer a terminal by control characters; only tab and newline pass. */
function printable(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

function toJson(value: unknown): string {
  // JSON leaves the C1 range as it is, and terminals act on it.
  return JSON.stringify(value).replace(/[\u007f-\u009f]/g, (control) => {
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** 12884901888 → "12.0 GiB". */
export function bytes(count: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** 1534 → "1.5 s", 87.2 → "87 ms". */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** "1 page", "3 pages". */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number} ${number === 1 ? singular : plural}`;
}

/** Rows in columns of equal width; the last column is left as it is. */
export function table(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell)).join("  "),
    )
    .join("\n");
}
