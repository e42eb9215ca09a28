/** `npm run bench -- NAME [ARGUMENTS]`: runs one benchmark. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

interface Benchmark {
  run(parameters: string[]): Promise<void> | void;
}

const names = [
  "make-model",
  "throughput",
  "serving",
  "long-context",
  "ingest",
  "pdf",
  "index",
  "crash",
  "search",
  "search-quality",
  "vectors",
  "start",
  "fit",
  "plan",
];
const [name = "", ...parameters] = process.argv.slice(2);
if (!names.includes(name) || !readdirSync(import.meta.dirname).includes(`${name}.ts`)) {
  console.error(`Name a benchmark: npm run bench -- ${names.join("|")}`);
  process.exit(2);
}
const benchmark = (await import(join(import.meta.dirname, `${name}.ts`))) as Benchmark;
await benchmark.run(parameters);
