import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";

/** Rows of one table; keys are the columns. */
export type Table = Record<string, string | number>[];

/** The value below which the fraction `p` (0..1) of the values lies. */
export function percentile(values: number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Says on stderr what is being done; stdout holds the table only. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Prints the tables and a verdict, and writes everything with the machine it was measured on to
 * bench/results/NAME.json.
 */
export function report(name: string, tables: Record<string, Table>, goals: Record<string, boolean>): void {
  for (const [title, rows] of Object.entries(tables)) {
    console.log(`\n${title}`);
    console.table(rows);
  }
  for (const [goal, isMet] of Object.entries(goals)) console.log(`${isMet ? "met   " : "MISSED"}  ${goal}`);
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    /** Above the number of cores, other work disturbed the measurement. */
    loadAverage: loadavg().map((value) => round(value)),
  };
  const content = { name, measuredAt: new Date().toISOString(), machine, goals, tables };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`);
}
