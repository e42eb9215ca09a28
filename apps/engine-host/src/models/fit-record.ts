import type { DeviceMemory, HardwareSnapshot, LoadPlan, MeasuredMemory, PlanHardware } from "@corral/protocol";
import type { LoadedModel } from "../engines/engine.ts";
import type { FitParts, Store } from "../store/store.ts";

/** Differences in bytes by device id, as the planner takes them. */
export type Corrections = ReadonlyMap<string, number>;

/** A lesson is never larger than this share of what was predicted: one odd measurement must not spoil all later plans. */
const mostCorrection = 0.3;

/**
 * What loads of a model took of each device beside what was predicted, and what later plans learn from it. Main memory is
 * learnt apart for loads with and without a GPU.
 */
export class FitRecord {
  readonly #table: Store["fitMeasurements"];

  constructor(table: Store["fitMeasurements"]) {
    this.#table = table;
  }

  /**
   * What is known of a model, as a function of the hardware it is planned for: what to add to the devices' overhead, from the
   * newest load on the same kind of device.
   */
  async lessons(model: string, quantization: string): Promise<(hardware: PlanHardware) => Corrections> {
    const known = await this.#table.list(model, quantization);
    return (hardware) => {
      const hasGpu = hardware.gpus.some(({ usable }) => usable);
      const corrections = new Map<string, number>();
      const learn = (id: string, kind: string, isMain: boolean) => {
        const newest = known.find(
          ({ deviceKind, backend }) => deviceKind === kind && (!isMain || (backend === "cpu") !== hasGpu),
        );
        if (newest) corrections.set(id, differenceOf(newest.predicted, newest.measured));
      };
      for (const gpu of hardware.gpus) learn(gpu.id, gpu.name, false);
      learn("cpu", hardware.cpu.name, true);
      return corrections;
    };
  }

  /** What is known of a model, applied to this hardware. */
  async corrections(model: string, quantization: string, hardware: PlanHardware): Promise<Corrections> {
    return (await this.lessons(model, quantization))(hardware);
  }

  /** @param corrections those the plan was made with: what is stored is what the planner said without them */
  async add(model: LoadedModel, plan: LoadPlan, measured: MeasuredMemory[], corrections: Corrections): Promise<void> {
    for (const device of plan.devices) {
      const found = measured.find(({ id }) => id === device.id);
      if (!found) continue;
      const overheadBytes = device.overheadBytes - (corrections.get(device.id) ?? 0);
      await this.#table.add({
        model: plan.model,
        quantization: plan.quantization,
        backend: model.facts.backend,
        deviceKind: device.name,
        contextSize: plan.contextSize,
        kvCacheType: plan.kvCacheType,
        predicted: partsOf({ ...device, overheadBytes }),
        measured: partsOf(found),
      });
    }
  }
}

/**
 * What a loaded model takes of each device of its plan.
 * @param after the hardware with the model loaded; null: unknown, or of no interest
 */
export function measuredMemory(model: LoadedModel, plan: LoadPlan, after: HardwareSnapshot | null): MeasuredMemory[] {
  const { memory } = model.facts;
  return plan.devices.map((device) => {
    // The engine sees the plan's GPUs in the plan's order.
    const gpu = device.id === "cpu" ? null : plan.devices.indexOf(device);
    const { weightsBytes, kvCacheBytes, computeBytes } = memory.find((entry) => entry.gpu === gpu) ?? nothing;
    const parts = { id: device.id, name: device.name, weightsBytes, kvCacheBytes, computeBytes };
    return gpu === null
      ? { ...parts, ...mainMemory(model, plan, weightsBytes + kvCacheBytes) }
      : { ...parts, ...gpuMemory(device, after, weightsBytes + kvCacheBytes + computeBytes) };
  });
}

const nothing = { weightsBytes: 0, kvCacheBytes: 0, computeBytes: 0 };

/** With part of the model on a GPU, what is resident of its file says nothing. */
function mainMemory({ resident }: LoadedModel, { placement }: LoadPlan, loadedBytes: number) {
  const beforeBytes = resident?.beforeBytes ?? null;
  const afterBytes = resident?.afterBytes ?? null;
  const peakBytes = resident?.peakBytes ?? null;
  // The compute buffer is not resident before it is used.
  const rest = afterBytes !== null && placement === "cpu" ? afterBytes - loadedBytes : -1;
  return { overheadBytes: rest < 0 ? null : rest, beforeBytes, afterBytes, peakBytes };
}

function gpuMemory(device: DeviceMemory, after: HardwareSnapshot | null, allocatedBytes: number) {
  const found = after?.gpus.find(({ id }) => id === device.id);
  const beforeBytes = device.usedByOthersBytes;
  if (!found || found.totalBytes === null || found.freeBytes === null) {
    return { overheadBytes: null, beforeBytes, afterBytes: null, peakBytes: null };
  }
  const afterBytes = found.totalBytes - found.freeBytes;
  const rest = afterBytes - beforeBytes - allocatedBytes;
  return { overheadBytes: rest < 0 ? null : rest, beforeBytes, afterBytes, peakBytes: afterBytes };
}

function partsOf({ weightsBytes, kvCacheBytes, computeBytes, overheadBytes }: FitParts): FitParts {
  return { weightsBytes, kvCacheBytes, computeBytes, overheadBytes };
}

/** Bounded part by part. */
function differenceOf(predicted: FitParts, measured: FitParts): number {
  const part = (was: number | null, is: number | null) => {
    if (was === null || is === null) return 0;
    const most = mostCorrection * was;
    return Math.max(-most, Math.min(most, is - was));
  };
  return Math.round(
    part(predicted.weightsBytes, measured.weightsBytes) +
      part(predicted.kvCacheBytes, measured.kvCacheBytes) +
      part(predicted.computeBytes, measured.computeBytes) +
      part(predicted.overheadBytes, measured.overheadBytes),
  );
}
