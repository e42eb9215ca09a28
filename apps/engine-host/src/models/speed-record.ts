import type { LoadPlan } from "@corral/protocol";
import { z } from "zod";
import type { GenerationStatistics } from "../engines/engine.ts";
import type { Store } from "../store/store.ts";

/** Fewer tokens than this say more about the clock than about the model. */
const leastTokens = 16;

const measuredSpeed = z.object({
  decodeTokensPerSecond: z.number().positive().nullable(),
  prefillTokensPerSecond: z.number().positive().nullable(),
  loadSeconds: z.number().nonnegative(),
});
type MeasuredSpeed = z.infer<typeof measuredSpeed>;

/**
 * How fast models really were here. Once a reply was written under a plan, its figures take the place of the estimate in
 * plans of the same model, quantization and placement on devices of the same names.
 */
export class SpeedRecord {
  readonly #settings: Store["settings"];

  constructor(settings: Store["settings"]) {
    this.#settings = settings;
  }

  /** Notes what one reply showed; the newest figure counts. */
  async note(plan: LoadPlan, loadMs: number, statistics: GenerationStatistics): Promise<void> {
    const { completionTokens, decodeMs, promptTokens, cachedTokens, prefillMs } = statistics;
    const decode = perSecond(completionTokens - 1, decodeMs);
    const prefill = perSecond(promptTokens - cachedTokens, prefillMs);
    if (decode === null && prefill === null) return;
    const known = await this.#read(plan);
    const speed: MeasuredSpeed = {
      decodeTokensPerSecond: decode ?? known?.decodeTokensPerSecond ?? null,
      prefillTokensPerSecond: prefill ?? known?.prefillTokensPerSecond ?? null,
      loadSeconds: Number((loadMs / 1000).toPrecision(3)),
    };
    await this.#settings.set(keyOf(plan), JSON.stringify(speed));
  }

  /** The plan with what was measured in place of what was estimated. */
  async apply(plan: LoadPlan): Promise<LoadPlan> {
    const speed = await this.#read(plan);
    if (!speed) return plan;
    const { decodeTokensPerSecond: decode, prefillTokensPerSecond: prefill, loadSeconds } = speed;
    return {
      ...plan,
      estimate: {
        decodeTokensPerSecond: decode === null ? plan.estimate.decodeTokensPerSecond : { low: decode, high: decode },
        prefillTokensPerSecond:
          prefill === null ? plan.estimate.prefillTokensPerSecond : { low: prefill, high: prefill },
        loadSeconds,
        measured: true,
      },
    };
  }

  async #read(plan: LoadPlan): Promise<MeasuredSpeed | null> {
    const stored = await this.#settings.get(keyOf(plan));
    return stored === null ? null : (measuredSpeed.safeParse(JSON.parse(stored)).data ?? null);
  }
}

function keyOf({ model, quantization, placement, devices }: LoadPlan): string {
  return ["speed", model, quantization, placement, ...devices.map(({ name }) => name)].join("|");
}

function perSecond(tokens: number, ms: number): number | null {
  return tokens >= leastTokens && ms > 0 ? Number(((tokens * 1000) / ms).toPrecision(3)) : null;
}
