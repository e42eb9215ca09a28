import { basename, join, resolve } from "node:path";
import { parseGpuList } from "../apps/engine-host/src/planning/gpu-list.ts";
import { readGgufHeader } from "../apps/engine-host/src/engines/gguf-header.ts";
import { readCatalog } from "../apps/engine-host/src/models/catalog.ts";
import { plannedFile } from "../apps/engine-host/src/models/planner.ts";
import { fitMatrixOf } from "../apps/engine-host/src/planning/fit-matrix.ts";
import { planLoad } from "../apps/engine-host/src/planning/plan-load.ts";
import { median, percentile, report, round } from "./report.ts";

const root = resolve(import.meta.dirname, "..");
const machines = [
  "cpu + ram 64GB",
  "1x RTX 4090 24GB",
  "2x RTX 4090 24GB + 1x A100 80GB + ram 512GB",
  "10x H100 80GB",
  "2x H100 80GB + 2x A100 80GB + 2x RTX 4090 24GB + 2x RTX 3060 12GB + ram 512GB",
];
const rounds = 40;

/**
 * `npm run bench -- plan [FILE.gguf]`: how long planning takes. One plan from a shape, with its alternatives; one from a GGUF
 * header; the whole fit matrix. Without a file it is the reader's.
 */
export async function run([file]: string[]): Promise<void> {
  const catalog = await readCatalog(join(root, "resources/catalog/models.json"));
  const wish = { contextSize: 131_072, users: 4 };
  const fromShape: number[] = [];
  const matrix: number[] = [];
  const rows = machines.map((machine) => {
    const hardware = parseGpuList(machine);
    const plans: number[] = [];
    const matrices: number[] = [];
    for (let index = 0; index < rounds; index++) {
      for (const model of catalog) plans.push(timed(() => planLoad(model, hardware, wish, catalog)));
      matrices.push(timed(() => fitMatrixOf(catalog, hardware, wish)));
    }
    fromShape.push(...plans);
    matrix.push(...matrices);
    return {
      machine,
      "plan, median": round(median(plans)),
      "plan, p99": round(percentile(plans, 0.99)),
      "matrix, median": round(median(matrices)),
      "matrix, p99": round(percentile(matrices, 0.99)),
    };
  });
  const header: number[] = [];
  const path = file ?? join(root, "resources/reader-model/corral-reader-q8_0.gguf");
  for (let index = 0; index < rounds; index++) {
    const start = performance.now();
    planLoad(plannedFile("file", await readGgufHeader(path)), parseGpuList("1x H100 80GB"), wish);
    header.push(performance.now() - start);
  }
  const fromHeader = { file: basename(path), median: round(median(header)), p99: round(percentile(header, 0.99)) };
  report(
    "plan",
    { "Six models of the catalog for four users, ms": rows, "A plan from a GGUF header, ms": [fromHeader] },
    {
      "a plan from a shape takes less than 5 ms (p99)": percentile(fromShape, 0.99) < 5,
      "a plan from a header takes less than 50 ms (p99)": percentile(header, 0.99) < 50,
      "a fit matrix takes less than 100 ms (p99)": percentile(matrix, 0.99) < 100,
    },
  );
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
