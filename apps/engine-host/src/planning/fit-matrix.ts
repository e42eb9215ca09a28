import type { FitCell, FitMatrix, LoadPlan, PlanHardware, PrecisionTier } from "@corral/protocol";
import { neededBytes } from "./placement.ts";
import { planLoad, type LoadWish, type PlannedModel } from "./plan-load.ts";

const tiers: readonly PrecisionTier[] = ["BF16", "FP8", "INT4"];
/** Slower than this, reading along is no pleasure. Tokens per second. */
const readingSpeed = 8;
/** A model that holds less than this is not recommended while another holds more. Tokens. */
const usefulContext = 16_384;

/**
 * What fits on a machine: each model in each tier, and which of them to take.
 * @param models best first
 */
export function fitMatrixOf(models: readonly PlannedModel[], hardware: PlanHardware, wish: LoadWish): FitMatrix {
  const cells = models.flatMap((model) =>
    tiers.map((tier) => {
      const plan = planLoad(model, hardware, { ...wish, pins: { tier } }, [], { hasAlternatives: false });
      return cellOf(model, plan, wishedBy(model, wish));
    }),
  );
  const frontier = frontierOf(cells);
  const recommended = recommend(frontier);
  return { cells, frontier, recommended, reason: reasonFor(recommended, frontier, cells) };
}

function wishedBy({ shape }: PlannedModel, wish: LoadWish): number {
  return Math.min(wish.contextSize ?? shape.trainContextSize, shape.trainContextSize);
}

function cellOf(model: PlannedModel, plan: LoadPlan, wishedContextSize: number): FitCell {
  const sum = (bytes: (device: LoadPlan["devices"][number]) => number) =>
    plan.devices.reduce((total, device) => total + bytes(device), 0);
  return {
    model: model.id,
    name: model.name,
    tier: plan.tier,
    quantization: plan.quantization,
    kvCacheType: plan.kvCacheType,
    status: statusOf(plan, wishedContextSize),
    contextSize: plan.contextSize,
    wishedContextSize,
    weightsBytes: sum(({ weightsBytes }) => weightsBytes),
    neededBytes: sum(neededBytes),
    missingBytes: plan.missingBytes,
    decodeTokensPerSecond: plan.estimate.decodeTokensPerSecond,
  };
}

function statusOf(plan: LoadPlan, wished: number): FitCell["status"] {
  if (!plan.fits) return "none";
  if (plan.placement === "partial") return "partial";
  return plan.contextSize >= wished ? "full" : "shorter";
}

/** Cells are ordered by quality, so a cell is beaten by an earlier one with as much context that is as fast. */
function frontierOf(cells: readonly FitCell[]): FitCell[] {
  const frontier: FitCell[] = [];
  for (const cell of cells) {
    if (cell.status === "none") continue;
    const isBeaten = frontier.some(
      (better) => better.contextSize >= cell.contextSize && speedOf(better) >= speedOf(cell),
    );
    if (!isBeaten) frontier.push(cell);
  }
  return frontier;
}

/** The best that is fast enough to read along and remembers enough; else the best that comes near. */
function recommend(frontier: readonly FitCell[]): FitCell | null {
  const isFast = (cell: FitCell) => speedOf(cell) >= readingSpeed;
  const isWhole = (cell: FitCell) => cell.status === "full" || cell.status === "shorter";
  const isUseful = (cell: FitCell) => cell.contextSize >= Math.min(usefulContext, cell.wishedContextSize);
  return (
    frontier.find((cell) => isWhole(cell) && isFast(cell) && isUseful(cell)) ??
    frontier.find((cell) => isFast(cell) && isUseful(cell)) ??
    frontier.find(isFast) ??
    frontier.toSorted((a, b) => speedOf(b) - speedOf(a))[0] ??
    null
  );
}

/** The middle of the estimate, tokens per second. */
function speedOf({ decodeTokensPerSecond: { low, high } }: FitCell): number {
  return (low + high) / 2;
}

function reasonFor(recommended: FitCell | null, frontier: readonly FitCell[], cells: readonly FitCell[]): string {
  if (!recommended) {
    const least = cells.toSorted((a, b) => a.missingBytes - b.missingBytes)[0];
    if (!least) return "The catalog is empty.";
    return `No model of the catalog fits here; ${titleOf(least)} comes nearest and lacks ${gibibytes(least.missingBytes)} GiB.`;
  }
  const at = frontier.indexOf(recommended);
  const parts = [`${titleOf(recommended)} holds ${contextText(recommended)} here`];
  const longer = frontier.find(({ contextSize }, index) => index > at && contextSize > recommended.contextSize);
  const larger = at > 0 ? frontier[at - 1] : undefined;
  if (longer) parts.push(`${titleOf(longer)} holds ${contextText(longer)}`);
  if (larger) {
    const speed = `${larger.decodeTokensPerSecond.low} to ${larger.decodeTokensPerSecond.high} tokens per second`;
    parts.push(
      speedOf(larger) < readingSpeed
        ? `${titleOf(larger)} would run at ${speed} only`
        : `${titleOf(larger)} would hold ${contextText(larger)} only`,
    );
  }
  return `${parts.join("; ")}.`;
}

function titleOf({ name, tier }: FitCell): string {
  return `${name.replace(/ Instruct$/, "")} ${tier}`;
}

function contextText({ contextSize, wishedContextSize }: FitCell): string {
  const text = contextSize >= 1024 ? `${Math.floor(contextSize / 1024)}K` : `${contextSize} tokens`;
  return contextSize >= wishedContextSize ? `the full ${text}` : text;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
