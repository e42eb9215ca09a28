import type { DeviceMemory, LoadPlan, ModelShape, PlanHardware } from "@corral/protocol";
import { machineOf, type UsableGpu } from "./machine.ts";
import { gpuOverheadBytes, workerOverheadBytes } from "./memory-model.ts";
import { neededBytes, placedModel, placeOnCpu, placeOnGpus } from "./placement.ts";
import type { PlannedModel } from "./plan-load.ts";

/**
 * A draft model pays when it is far cheaper than the model it guesses for: a 1B for an 8B, an 8B for a 70B. Of one with more
 * than this share of the parameters the time it takes eats what it saves.
 */
const largestShare = 1 / 4;

/** Whether one model can guess tokens for another. The engine compares the vocabularies word by word besides. */
export function canDraftFor(draft: ModelShape, model: ModelShape): boolean {
  return (
    draft.architecture === model.architecture &&
    draft.vocabularySize === model.vocabularySize &&
    draft.parameters <= model.parameters * largestShare
  );
}

/**
 * The plan with a draft model beside the model, in the same process: whole on the plan's GPUs, or in main memory with it, and a
 * sequence of its own for each slot. Null: there is no room for that.
 */
export function withDraft(plan: LoadPlan, draft: PlannedModel, hardware: PlanHardware): LoadPlan | null {
  const { file, shape } = draft;
  if (!file || !plan.fits) return null;
  const machine = machineOf(hardware, undefined);
  const main = plan.devices.at(-1);
  if (!main) return null;
  // What the runtime itself takes is there already.
  const left = (device: DeviceMemory, overheadBytes: number) =>
    device.freeBytes - neededBytes(device) + device.reserveBytes + overheadBytes;
  const memory = { ...hardware.memory, availableBytes: left(main, workerOverheadBytes(shape)) };
  const there = { ...machine, hardware: { ...hardware, memory }, cpuReserveBytes: main.reserveBytes };
  const model = placedModel(shape, file);
  const need = { slots: plan.slots, kvCacheType: plan.kvCacheType };
  const gpus = plan.devices.slice(0, -1).flatMap((device): UsableGpu[] => {
    const gpu = hardware.gpus.find(({ id }) => id === device.id);
    return gpu ? [{ ...gpu, freeBytes: left(device, gpuOverheadBytes(shape)) }] : [];
  });
  const placement =
    plan.gpuLayers > 0 ? placeOnGpus(model, need, there, gpus, shape.layers + 1) : placeOnCpu(model, need, there);
  if (placement.missingBytes > 0) return null;
  return { ...plan, draft: draft.id, devices: plan.devices.map((device) => together(device, placement.devices)) };
}

function together(device: DeviceMemory, drafts: readonly DeviceMemory[]): DeviceMemory {
  const draft = drafts.find(({ id }) => id === device.id);
  if (!draft) return device;
  return {
    ...device,
    weightsBytes: device.weightsBytes + draft.weightsBytes,
    kvCacheBytes: device.kvCacheBytes + draft.kvCacheBytes,
    computeBytes: device.computeBytes + draft.computeBytes,
    reserveBytes: Math.max(device.reserveBytes, draft.reserveBytes),
  };
}

/** What the draft model takes of all devices, bytes. */
export function draftBytes(plan: LoadPlan, withIt: LoadPlan): number {
  const sum = ({ devices }: LoadPlan) =>
    devices.reduce((bytes, device) => bytes + neededBytes(device) - device.reserveBytes, 0);
  return sum(withIt) - sum(plan);
}
