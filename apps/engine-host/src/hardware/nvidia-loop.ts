import type { GpuLoad, GpuSampler, SamplingTools } from "./gpu-samplers.ts";
import { parseGpus } from "./nvidia-smi.ts";
import { killTool, startTool } from "./run-tool.ts";

/** Without a name parseGpus would take a line for nonsense; it comes last, see there. */
const fields = "index,uuid,memory.total,memory.used,memory.free,temperature.gpu,power.draw,utilization.gpu,name";
const query = [`--query-gpu=${fields}`, "--format=csv,nounits"];

/** A loop that says nothing for so many intervals is given up. */
const silentIntervals = 3;
/** Longest line worth keeping, characters. */
const lineLimit = 4096;

/**
 * nvidia-smi kept running in its own loop: starting it costs up to a second without persistence mode, as it initialises
 * the driver each time. Where the loop does not work, each sample is one call.
 */
export class NvidiaLoop implements GpuSampler {
  readonly #tools: SamplingTools;
  readonly #loads = new Map<string, GpuLoad>();
  #child: ReturnType<typeof startTool> | null = null;
  #heardAt = 0;
  #isGivenUp = false;
  #isClosed = false;

  constructor(tools: SamplingTools) {
    this.#tools = tools;
  }

  async sample(): Promise<Map<string, GpuLoad>> {
    if (!this.#isGivenUp && !this.#child) this.#start();
    const limit = silentIntervals * this.#tools.intervalMs;
    if (this.#child && performance.now() - this.#heardAt > limit) this.#giveUp();
    if (!this.#isGivenUp) return new Map(this.#loads);
    return loadsIn(await this.#tools.run("nvidia-smi", query));
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  #start(): void {
    const args = [...query, "-lms", String(this.#tools.intervalMs)];
    const child = startTool("nvidia-smi", args, this.#tools.environment);
    this.#child = child;
    this.#heardAt = performance.now();
    let head: string | null = null;
    let rest = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text: string) => {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? "";
      if (rest.length > lineLimit) return this.#giveUp();
      this.#heardAt = performance.now();
      for (const line of lines) {
        if (line.startsWith("index,")) head = line;
        else if (head !== null) for (const [id, load] of loadsIn(`${head}\n${line}`)) this.#loads.set(id, load);
      }
    });
    // Its complaints are of no use here, but a full pipe would stop it.
    child.stderr.resume();
    child.once("error", () => this.#giveUp());
    child.once("exit", () => {
      if (!this.#isClosed) this.#giveUp();
    });
  }

  #giveUp(): void {
    this.#isGivenUp = true;
    this.#stop();
  }

  #stop(): void {
    if (this.#child) killTool(this.#child);
    this.#child = null;
    this.#loads.clear();
  }
}

function loadsIn(csv: string): Map<string, GpuLoad> {
  return new Map(parseGpus(csv).map((gpu) => [gpu.uuid ?? "", gpu]));
}
