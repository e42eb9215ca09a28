import type { ModelActivity, ModelState } from "@corral/protocol";
import type { Instance } from "./model-life.ts";
import type { ModelStatistics } from "./model-statistics.ts";

/** What is known of one model. */
export interface ActivitySource {
  model: string;
  name: string;
  purpose: ModelActivity["purpose"];
  state: ModelState;
  /** Null: not loaded. */
  instance: Instance | null;
  statistics: ModelStatistics;
}

export function activityOf({ instance, statistics, ...known }: ActivitySource): ModelActivity {
  const { counters, timeToFirstToken, queueWait } = statistics;
  return {
    ...known,
    ...(known.purpose === "generate" ? slotsOf(instance) : turnsOf(instance)),
    memory: instance ? memoryOf(instance) : [],
    counters: { ...counters },
    timeToFirstToken: timeToFirstToken.read(),
    queueWait: queueWait.read(),
  };
}

type Load = Pick<
  ModelActivity,
  | "slots"
  | "running"
  | "queued"
  | "waitMs"
  | "kvUsedTokens"
  | "kvTotalTokens"
  | "decodeTokensPerSecond"
  | "prefillTokensPerSecond"
>;

const nothing: Load = {
  slots: [],
  running: 0,
  queued: 0,
  waitMs: null,
  kvUsedTokens: 0,
  kvTotalTokens: 0,
  decodeTokensPerSecond: null,
  prefillTokensPerSecond: null,
};

function slotsOf(instance: Instance | null): Load {
  if (!instance) return nothing;
  const { slots, running, queued, waitMs, kvUsedTokens, tokensPerSecond } = instance.scheduler;
  return {
    slots,
    running,
    queued,
    waitMs,
    kvUsedTokens,
    kvTotalTokens: slots.reduce((sum, { contextSize, total }) => sum + contextSize * total, 0),
    decodeTokensPerSecond: tokensPerSecond.decode,
    prefillTokensPerSecond: tokensPerSecond.prefill,
  };
}

/** A model that embeds or ranks takes one text at a time. */
function turnsOf(instance: Instance | null): Load {
  if (!instance) return nothing;
  const { running, queued } = instance.turns;
  const { contextSize } = instance.plan;
  return { ...nothing, slots: [{ contextSize, total: 1, busy: running }], running, queued };
}

/** What was measured; where nobody told, what was planned. */
function memoryOf({ plan, measured }: Instance): ModelActivity["memory"] {
  return plan.devices.map((device) => {
    const { weightsBytes, kvCacheBytes, computeBytes, overheadBytes } =
      measured.find(({ id }) => id === device.id) ?? device;
    const bytes = weightsBytes + kvCacheBytes + computeBytes + (overheadBytes ?? device.overheadBytes);
    return { device: device.id, name: device.name, bytes };
  });
}
