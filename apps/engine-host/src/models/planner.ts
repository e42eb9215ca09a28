import {
  CorralError,
  type FitMatrix,
  type FitMatrixRequest,
  type LoadPlan,
  type PlanHardware,
  type PlanRequest,
} from "@corral/protocol";
import { readGgufHeader, type GgufHeader } from "../engines/gguf-header.ts";
import type { Hardware } from "../hardware/hardware.ts";
import { fitMatrixOf } from "../planning/fit-matrix.ts";
import { parseGpuList } from "../planning/gpu-list.ts";
import { weightsFromHeader } from "../planning/model-weights.ts";
import { planLoad, type LoadWish, type PlannedModel } from "../planning/plan-load.ts";
import { readCatalog } from "./catalog.ts";
import type { FitRecord } from "./fit-record.ts";
import type { ModelLibrary } from "./model-library.ts";
import type { SpeedRecord } from "./speed-record.ts";

export interface PlannerOptions {
  catalogPath: string;
  hardware: Pick<Hardware, "snapshot">;
  /** Null: only the catalog and files are known. */
  library: Pick<ModelLibrary, "list"> | null;
  /** What loads of registered models have taught; null: nothing. */
  record: Pick<FitRecord, "corrections"> | null;
  /** How fast registered models were; null: nothing is known. */
  speeds?: Pick<SpeedRecord, "apply"> | null;
}

/** Plans for models that need not be here, on hardware that need not be this one. Loads nothing. */
export class Planner {
  readonly #options: PlannerOptions;
  #catalog: Promise<PlannedModel[]> | null = null;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** @throws CorralError MODEL_NOT_FOUND, INVALID_INPUT, what is wrong with a file, CANCELLED */
  async planFor(request: PlanRequest, signal: AbortSignal): Promise<LoadPlan> {
    const hardware = await this.#hardwareOf(request, signal);
    const catalog = await this.#readCatalog();
    const model = await this.#find(request.model, catalog, signal);
    const quantization = model.file?.quantization;
    const corrections = quantization && (await this.#options.record?.corrections(model.id, quantization, hardware));
    const plan = planLoad(model, hardware, { ...wishOf(request), ...(corrections && { corrections }) }, catalog);
    return (await this.#options.speeds?.apply(plan)) ?? plan;
  }

  /** @throws CorralError INVALID_INPUT, CANCELLED */
  async matrix(request: FitMatrixRequest, signal: AbortSignal): Promise<FitMatrix> {
    const hardware = await this.#hardwareOf(request, signal);
    return fitMatrixOf(await this.#readCatalog(), hardware, wishOf(request));
  }

  async #hardwareOf({ gpus, hardware }: FitMatrixRequest, signal: AbortSignal): Promise<PlanHardware> {
    if (gpus !== undefined) return parseGpuList(gpus);
    return hardware ?? (await this.#options.hardware.snapshot(signal));
  }

  async #find(model: string, catalog: PlannedModel[], signal: AbortSignal): Promise<PlannedModel> {
    // A file at hand is known exactly, so it comes before the catalog's entry of the same name.
    const registered = (await this.#options.library?.list())?.find(({ id }) => id === model);
    if (registered?.header) return plannedFile(registered.id, registered.header);
    if (registered?.problem) {
      const { code, message, data } = registered.problem;
      throw new CorralError(code, message, data as never);
    }
    const known = catalog.find(({ id }) => id === model.toLowerCase());
    if (known) return known;
    if (/\.gguf$/i.test(model)) return plannedFile(model, await readGgufHeader(model, signal));
    const ids = catalog.map(({ id }) => id).join(", ");
    throw new CorralError("MODEL_NOT_FOUND", `There is no model ${model}. Known are ${ids}, and any GGUF file.`, {
      model,
    });
  }

  #readCatalog(): Promise<PlannedModel[]> {
    this.#catalog ??= readCatalog(this.#options.catalogPath).catch((error: unknown) => {
      this.#catalog = null;
      throw error;
    });
    return this.#catalog;
  }
}

/** A model file as the planner sees it. */
export function plannedFile(id: string, header: GgufHeader): PlannedModel {
  const { name, shape, isTied, quantization } = header;
  return { id, name, shape, isTied, file: weightsFromHeader(shape, quantization, header) };
}

function wishOf({ contextSize, users, preference, reserveBytes, ...rest }: Omit<PlanRequest, "model">): LoadWish {
  return { contextSize: contextSize ?? null, users: users ?? 1, preference, pins: rest.pins, reserveBytes };
}
