import type { EngineMemory } from "../engines/engine.ts";

/** "load_tensors:        CUDA0 model buffer size =  1252.41 MiB", and the same for "KV", "RS" and "compute". */
const bufferLine = /^(\w+):\s+(\S+)\s+(model|KV|RS|compute) buffer size\s*=\s*(\d+(?:\.\d+)?) MiB/;
/** "CUDA0", "ROCm1", "Vulkan0", "Metal" and "MTL0" are GPUs, with "_Mapped" or "_Private" where their memory is of a special kind. */
const gpuBuffer = /^(?:CUDA|ROCm|HIP|MUSA|Vulkan|SYCL|Metal|MTL)(\d*)(?:_(?:Mapped|Private|Shared|Split))?$/;

type Part = "weightsBytes" | "kvCacheBytes" | "computeBytes";
const parts: Record<string, Part> = {
  model: "weightsBytes",
  KV: "kvCacheBytes",
  // What models with a recurrent state have in place of a KV cache.
  RS: "kvCacheBytes",
  compute: "computeBytes",
};

/**
 * Adds up what llama.cpp says, while it loads, about the buffers it allocates. There is no interface that tells; its log does,
 * in MiB with two decimals.
 */
export class BufferSizes {
  readonly #devices = new Map<number | null, Record<Part, number>>();
  /** Compute buffers of the context being made, by name: llama.cpp may reserve them anew, and then the last size holds. */
  readonly #compute = new Map<string, number>();

  /** @param text one or several lines of llama.cpp's log */
  read(text: string): void {
    for (const line of text.split("\n")) this.#readLine(line.trim());
  }

  /** The context is made, and what comes is another's. */
  endContext(): void {
    for (const [name, bytes] of this.#compute) entryOf(this.#devices, gpuOf(name)).computeBytes += bytes;
    this.#compute.clear();
  }

  /** GPUs in llama.cpp's order, then main memory, which counts buffers on the GPUs' behalf too ("CUDA_Host"). */
  memory(): EngineMemory[] {
    const total = new Map([...this.#devices].map(([gpu, bytes]) => [gpu, { ...bytes }]));
    for (const [name, bytes] of this.#compute) entryOf(total, gpuOf(name)).computeBytes += bytes;
    entryOf(total, null);
    const order = (gpu: number | null) => gpu ?? Infinity;
    return [...total].map(([gpu, bytes]) => ({ gpu, ...bytes })).toSorted((a, b) => order(a.gpu) - order(b.gpu));
  }

  #readLine(line: string): void {
    const [, , name, kind = "", mebibytes] = bufferLine.exec(line) ?? [];
    const part = parts[kind];
    if (name === undefined || part === undefined) return;
    const bytes = Math.round(Number(mebibytes) * 2 ** 20);
    if (part === "computeBytes") this.#compute.set(name, bytes);
    else entryOf(this.#devices, gpuOf(name))[part] += bytes;
  }
}

/** The number of a GPU, null for main memory. */
function gpuOf(buffer: string): number | null {
  const match = gpuBuffer.exec(buffer);
  return match ? Number(match[1] ?? 0) : null;
}

function entryOf(devices: Map<number | null, Record<Part, number>>, gpu: number | null): Record<Part, number> {
  const known = devices.get(gpu);
  if (known) return known;
  const entry = { weightsBytes: 0, kvCacheBytes: 0, computeBytes: 0 };
  devices.set(gpu, entry);
  return entry;
}
