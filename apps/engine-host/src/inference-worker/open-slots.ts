import { setTimeout as sleep } from "node:timers/promises";
import type { PlanSlots } from "@corral/protocol";
import type { LlamaContext, LlamaModel } from "node-llama-cpp";
import type { LoadSettings } from "../engines/engine.ts";
import { BatchGathering } from "./batch-gathering.ts";
import { Guessing } from "./guessing.ts";
import { emptySlot, type Slot } from "./slot-pool.ts";

/** Tokens evaluated in one step where nothing is said: node-llama-cpp's own default. */
const defaultBatchSize = 512;
/** llama.cpp's log arrives on the event loop, ms after what it tells of. */
const logDelayMs = 20;

export function batchSizeOf({ batchSize }: LoadSettings): number {
  return batchSize ?? defaultBatchSize;
}

/**
 * Makes a context for each size of slot, all over the same weights, and opens its sequences; with a draft model as many of
 * its own beside them.
 * @param onContext called when a context is made and all of its log has been read
 */
export async function openSlots(
  model: LlamaModel,
  draft: LlamaModel | null,
  settings: LoadSettings,
  onContext: () => void,
): Promise<Slot[]> {
  const create = async (owner: LlamaModel, size: PlanSlots, gathering: BatchGathering) => {
    const context = await createContext(owner, settings, size, gathering);
    await sleep(logDelayMs);
    onContext();
    return context;
  };
  const slots: Slot[] = [];
  for (const size of settings.slots) {
    const gathering = new BatchGathering();
    const context = await create(model, size, gathering);
    const draftContext = draft && (await create(draft, size, new BatchGathering()));
    for (let index = 0; index < size.count; index++) {
      const guessing = new Guessing(draftContext && draftContext.getSequence());
      // Text must never fall out of the context unseen: generation refuses before it gets that far.
      const sequence = context.getSequence({ contextShift: { strategy: refuseShift }, tokenPredictor: guessing });
      slots.push(emptySlot({ sequence, guessing, gathering, contextSize: size.contextSize }));
    }
  }
  return slots;
}

function createContext(
  model: LlamaModel,
  settings: LoadSettings,
  { contextSize, count }: PlanSlots,
  { strategy }: BatchGathering,
): Promise<LlamaContext> {
  return model.createContext({
    contextSize,
    sequences: count,
    threads: settings.threads,
    batchSize: Math.min(batchSizeOf(settings), contextSize * count),
    // Without it the compute buffer grows with the context (1B at 32K: 2.1 GiB instead of 0.25), and a quantized value
    // cache needs it.
    flashAttention: model.flashAttentionSupported,
    ...(settings.kvCacheType === "q8_0"
      ? { experimentalKvCacheKeyType: "Q8_0", experimentalKvCacheValueType: "Q8_0" }
      : {}),
    batching: { itemPrioritizationStrategy: strategy },
    failedCreationRemedy: false,
  });
}

function refuseShift(): never {
  throw new Error("The context is full.");
}
