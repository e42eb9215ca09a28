import type { ModelShape, PlanPins, PlanSlots } from "@corral/protocol";
import type { Ladder, Rung } from "./ladder.ts";
import type { Machine } from "./machine.ts";
import { contextStep, type ContextNeed, type ModelPurpose } from "./memory-model.ts";
import { weightsOf, type ModelWeights } from "./model-weights.ts";
import { placedModel, placeOnCpu, placeOnGpus, shortOf, type PlacedModel, type Placement } from "./placement.ts";
import { slotChoices } from "./slots.ts";

/** Where a model may lie: whole on GPUs, in part, or in main memory. */
export type Mode = "gpu" | "partial" | "cpu";

export interface Choice {
  rung: Rung;
  slots: PlanSlots[];
  placement: Placement;
}

export interface SearchOptions {
  shape: ModelShape;
  isTied: boolean;
  /** The weights of the file at hand; null: computed for each quantization. */
  file: ModelWeights | null;
  machine: Machine;
  users: number;
  hasEqualSlots: boolean;
  pins: PlanPins;
  preferLongContext: boolean;
  purpose: ModelPurpose;
}

/** A tier that holds this much is taken before a smaller one that holds more. Tokens. */
const ampleContext = 32_768;
/** A shorter context than this is not offered. Tokens. */
export const leastContext = 4096;

/** Finds the best plan that fits, by the rules of the ladder. */
export class PlanSearch {
  readonly #options: SearchOptions;
  readonly #models = new Map<string, PlacedModel>();

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  /** The ways a model may lie here, best first. */
  modes(): Mode[] {
    const { machine, pins } = this.#options;
    const hasGpu = machine.gpuSets.length > 0;
    switch (pins.placement) {
      case "gpu":
      case "multi-gpu":
        return hasGpu ? ["gpu"] : [];
      case "partial":
        return hasGpu ? ["partial"] : [];
      case "cpu":
        return ["cpu"];
      default:
        return hasGpu ? ["gpu", "partial", "cpu"] : ["cpu"];
    }
  }

  /**
   * The first rung that holds the wished context; else the first that holds an ample one, as long as possible; else the
   * rung with the longest. Null when none holds even the least.
   */
  best(mode: Mode, ladder: Ladder, wished: number): Choice | null {
    const { pins, preferLongContext } = this.#options;
    const isPartial = mode === "partial";
    for (const rung of isPartial ? ladder.partial : ladder.atWish) {
      const choice = this.holding(mode, rung, wished);
      if (choice) return choice;
    }
    if (pins.contextSize !== undefined) return null;
    const rungs = isPartial ? shorter(ladder.partial, ladder.shortened) : ladder.shortened;
    let longest: Choice | null = null;
    for (const rung of rungs) {
      const choice = this.longest(mode, rung, wished);
      if (!choice) continue;
      if (!preferLongContext && contextOf(choice) >= Math.min(ampleContext, wished)) return choice;
      if (!longest || contextOf(choice) > contextOf(longest)) longest = choice;
    }
    return longest;
  }

  /** With this context, and as much for further users as there is room for; null when even the least does not fit. */
  holding(mode: Mode, rung: Rung, contextSize: number): Choice | null {
    for (const slots of this.#slots(contextSize)) {
      const placement = this.#place(mode, rung, slots);
      if (placement?.missingBytes === 0) return { rung, slots, placement };
    }
    return null;
  }

  /** With the longest context below the wished one. */
  longest(mode: Mode, rung: Rung, wished: number): Choice | null {
    let found = this.holding(mode, rung, Math.min(leastContext, wished));
    if (!found) return null;
    let low = Math.ceil(contextOf(found) / contextStep);
    let high = Math.ceil(wished / contextStep);
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const choice = this.holding(mode, rung, middle * contextStep);
      if (choice) [found, low] = [choice, middle];
      else high = middle;
    }
    return found;
  }

  /** The choice of this rung that misses least, whether it fits or not; null where the mode does not exist here. */
  nearest(mode: Mode, rung: Rung, contextSize: number): Choice | null {
    const slots = this.#slots(contextSize).at(-1);
    const placement = slots ? this.#place(mode, rung, slots) : null;
    return slots && placement ? { rung, slots, placement } : null;
  }

  model(quantization: string): PlacedModel {
    const { shape, isTied, file } = this.#options;
    let model = this.#models.get(quantization);
    if (!model) {
      model = placedModel(shape, file ?? weightsOf(shape, isTied, quantization));
      this.#models.set(quantization, model);
    }
    return model;
  }

  #slots(contextSize: number): PlanSlots[][] {
    return slotChoices(contextSize, this.#options.users, this.#options.hasEqualSlots);
  }

  #place(mode: Mode, rung: Rung, slots: PlanSlots[]): Placement | null {
    const model = this.model(rung.quantization);
    const need = { slots, kvCacheType: rung.kvCacheType, purpose: this.#options.purpose };
    switch (mode) {
      case "cpu":
        return placeOnCpu(model, need, this.#options.machine);
      case "gpu":
        return this.#placeWhole(model, need);
      case "partial":
        return this.#placePart(model, need);
    }
  }

  /** On the first set of GPUs that holds it; else on the one that misses least. */
  #placeWhole(model: PlacedModel, need: ContextNeed): Placement | null {
    const { machine, pins } = this.#options;
    let least: Placement | null = null;
    for (const set of machine.gpuSets) {
      if (pins.placement === "gpu" && set.length > 1) continue;
      if (pins.placement === "multi-gpu" && set.length < 2) continue;
      const placement = placeOnGpus(model, need, machine, set, model.shape.layers + 1);
      if (placement.missingBytes === 0) return placement;
      if (!least || placement.missingBytes < least.missingBytes) least = placement;
    }
    return least;
  }

  /** As many layers on GPUs as fit. */
  #placePart(model: PlacedModel, need: ContextNeed): Placement | null {
    const { machine } = this.#options;
    let best: Placement | null = null;
    for (const set of machine.largestSets) {
      let low = 0;
      let high = model.shape.layers + 1;
      let placement: Placement | null = null;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        const tried = placeOnGpus(model, need, machine, set, middle);
        if (tried.devices.slice(0, -1).every((gpu) => shortOf(gpu) === 0)) [low, placement] = [middle, tried];
        else high = middle;
      }
      if (placement && (!best || isBetterPart(placement, best))) best = placement;
    }
    return best;
  }
}

function isBetterPart(one: Placement, other: Placement): boolean {
  return one.missingBytes !== other.missingBytes
    ? one.missingBytes < other.missingBytes
    : one.gpuLayers > other.gpuLayers;
}

function shorter(partial: readonly Rung[], shortened: readonly Rung[]): readonly Rung[] {
  const both = partial.filter((rung) => shortened.includes(rung));
  return both.length > 0 ? both : partial;
}

/** The context of the largest slot, tokens. */
export function contextOf({ slots }: Pick<Choice, "slots">): number {
  return slots[0]?.contextSize ?? 0;
}
