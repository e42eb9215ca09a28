import { fork } from "node:child_process";
import { once } from "node:events";
import type { KvCacheType } from "@corral/protocol";
import { bareLoopPath } from "./worker-path.ts";
import { workerEnvironment } from "./worker-process.ts";

/** How the yardstick loads a model: as the engine it is compared with. Counts in tokens. */
export interface BareLoopSettings {
  path: string;
  /** Of each sequence. */
  contextSize: number;
  sequences: number;
  threads: number;
  gpuLayers: number;
  batchSize: number;
  kvCacheType: KvCacheType;
  mapsWeights: boolean;
}

/** What goes to the yardstick's process. `streams` sequences do the same at the same time. Counts in tokens. */
export type ToBareLoop =
  | { type: "load"; settings: BareLoopSettings }
  | { type: "generate"; streams: number; promptTokens: number; completionTokens: number };

/** ms; first token and decoding of the first stream, total of all. */
export type FromBareLoop =
  | { type: "loaded" }
  | { type: "done"; firstTokenMs: number; decodeMs: number; totalMs: number }
  | { type: "failed"; reason: string };
export type BareLoopTimes = Extract<FromBareLoop, { type: "done" }>;

/** A model in node-llama-cpp and nothing else, in a process set up like an inference worker. */
export interface BareLoop extends AsyncDisposable {
  generate(request: Omit<Extract<ToBareLoop, { type: "generate" }>, "type">): Promise<BareLoopTimes>;
}

/** Starts the yardstick. Aborting ends its process. */
export async function startBareLoop(
  settings: BareLoopSettings,
  { signal, visibleGpus }: { signal: AbortSignal; visibleGpus?: string[] },
): Promise<BareLoop> {
  const child = fork(bareLoopPath(), {
    execArgv: [],
    env: workerEnvironment(process.env, visibleGpus),
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    windowsHide: true,
  });
  const gone = once(child, "exit");
  const end = () => child.kill("SIGKILL");
  signal.addEventListener("abort", end, { once: true });
  const request = async (message: ToBareLoop): Promise<FromBareLoop> => {
    signal.throwIfAborted();
    const answer = once(child, "message") as Promise<[FromBareLoop]>;
    child.send(message);
    const ended = gone.then(() => Promise.reject(new Error("The bare loop ended before it answered.")));
    const [result] = await Promise.race([answer, ended]);
    if (result.type === "failed") throw new Error(`The bare loop failed: ${result.reason}`);
    return result;
  };
  const dispose = async () => {
    signal.removeEventListener("abort", end);
    end();
    await gone;
  };
  try {
    await request({ type: "load", settings });
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    generate: async (wanted) => (await request({ type: "generate", ...wanted })) as BareLoopTimes,
    [Symbol.asyncDispose]: dispose,
  };
}
