import type { KvCacheType, LoadPlan, ModelShape } from "@corral/protocol";
import { canQuantizeKvCache } from "../planning/memory-model.ts";

/** What to load after a load that failed for lack of memory. */
export interface Rung {
  kvCacheType: KvCacheType;
  /** Tokens. */
  contextSize: number;
  /** One sentence for the plan's reasons. */
  reason: string;
}

/** A context is not reduced below this. Tokens. */
const leastContext = 2048;

/** The next rung down the ladder for a given file: the 8-bit KV cache, then half the context; null: there is none. */
export function nextRung({ kvCacheType, contextSize }: LoadPlan, shape: ModelShape): Rung | null {
  const failed = `A first try with ${contextSize.toLocaleString("en-US")} tokens of context and a KV cache of ${kvCacheType} failed for lack of memory`;
  if (kvCacheType === "f16" && canQuantizeKvCache(shape)) {
    return { kvCacheType: "q8_0", contextSize, reason: `${failed}, so the KV cache is stored with 8 bits (q8_0) now.` };
  }
  if (contextSize <= leastContext) return null;
  const half = Math.max(leastContext, Math.floor(contextSize / 2));
  return {
    kvCacheType,
    contextSize: half,
    reason: `${failed}, so the context is ${half.toLocaleString("en-US")} tokens now.`,
  };
}
