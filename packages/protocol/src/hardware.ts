import { z } from "zod";

/** A size in bytes; null where no source told. The default lets a snapshot written by an older Corral be read. */
const bytes = z.number().nullable().default(null);
const number = z.number().nullable().default(null);
const text = z.string().nullable().default(null);

/**
 * How two GPUs reach each other, best first. nvlink, xgmi: the vendor's own link. pix, pxb: over one, or several, PCIe
 * switches. phb: over the host bridge. node: over several host bridges of one NUMA node. sys: over the link between
 * processor sockets. pcie: over PCIe, no more is known.
 */
export const gpuLinkKind = z.enum(["nvlink", "xgmi", "pix", "pxb", "phb", "node", "sys", "pcie"]);
export type GpuLinkKind = z.infer<typeof gpuLinkKind>;

/** The connection of a GPU to another one of this machine. */
export const gpuPeer = z.object({
  /** The other GPU. */
  id: z.string(),
  link: gpuLinkKind,
  /** How many NVLinks or xGMI links are bonded; 0 for PCIe. */
  links: z.number().int(),
  /** Of all links together, one direction, bytes per second; null where the tool does not tell. */
  bytesPerSecond: number,
});
export type GpuPeer = z.infer<typeof gpuPeer>;

/** The PCIe connection. Cards at rest lower the current generation, so the highest is what a transfer gets. */
export const pcieLink = z.object({
  generation: number,
  /** Lanes in use. */
  width: number,
  maxGeneration: number,
  maxWidth: number,
});
export type PcieLink = z.infer<typeof pcieLink>;

/** A program that has memory on a GPU. */
export const gpuProcess = z.object({ pid: z.number().int(), name: z.string(), usedBytes: bytes, ours: z.boolean() });
export type GpuProcess = z.infer<typeof gpuProcess>;

/** One GPU, or one part of a divided GPU (MIG), as the host sees it. All sizes in bytes; null where no source told. */
export const gpuDevice = z.object({
  /** Stays the same for this device on this machine: the UUID, else the PCI address. */
  id: z.string(),
  /** The number the vendor's tool gives it; a part of a divided GPU has the number of that GPU. */
  index: z.number().int(),
  name: z.string(),
  vendor: z.string(),
  /** Memory models can use. Unified memory: what the operating system lets a GPU have of it. */
  totalBytes: z.number().nullable(),
  freeBytes: z.number().nullable(),
  driver: z.string().nullable(),
  /** The source the other figures were compared with: "nvidia-smi", "amd-smi", "rocm-smi", "xpu-smi", "systeminformation"… */
  source: z.string(),

  /** Every source that told of this device, the leading one first. */
  sources: z.array(z.string()).default([]),
  /** What the embedded engine reaches it through; null: nothing known. */
  backend: z.enum(["cuda", "metal", "vulkan"]).nullable().default(null),
  /** False: no model can be put here, for example on a GPU that is divided into parts (MIG); `unusableReason` says why. */
  usable: z.boolean().default(true),
  unusableReason: text,
  usedBytes: bytes,
  /** Of that, by programs other than Corral. */
  usedByOthersBytes: bytes,
  processes: z.array(gpuProcess).default([]),
  /** Whether its memory is the main memory. */
  unifiedMemory: z.boolean().default(false),
  /** PCI address as domain:bus:device.function, "0000:c1:00.0". */
  busAddress: text,
  /** NVIDIA's compute capability "9.0", AMD's target "gfx942". */
  computeCapability: text,
  pcie: pcieLink.nullable().default(null),
  peers: z.array(gpuPeer).default([]),
  numaNode: number,
  temperatureCelsius: number,
  powerWatts: number,
  powerLimitWatts: number,
  /** Share of time in which it computed, 0 to 100. */
  utilizationPercent: number,
  /** For a part of a divided GPU (MIG): the GPU it belongs to, and the profile such as "3g.40gb". */
  partition: z.object({ parentId: z.string(), profile: z.string() }).nullable().default(null),
});
export type GpuDevice = z.infer<typeof gpuDevice>;

/** A processor socket with its own memory, or part of one. Memory of another node is slower. */
export const numaNode = z.object({
  id: z.number().int(),
  /** Logical processors as a list of ranges: "0-31,64-95". */
  cpus: z.string(),
  totalBytes: bytes,
  freeBytes: bytes,
});
export type NumaNode = z.infer<typeof numaNode>;

/** What this machine has right now. Sizes in bytes. */
export const hardwareSnapshot = z.object({
  takenAt: z.string(),
  os: z.object({ platform: z.string(), distribution: z.string(), architecture: z.string() }),
  cpu: z.object({
    name: z.string(),
    physicalCores: z.number(),
    logicalCores: z.number(),
    /** What llama.cpp has own code for: "AVX2", "AVX512", "AVX512-VNNI", "AMX", "NEON"… Empty: not known. */
    instructionSets: z.array(z.string()).default([]),
  }),
  memory: z.object({ totalBytes: z.number(), availableBytes: z.number() }),
  /** Empty: not known. */
  numaNodes: z.array(numaNode).default([]),
  gpus: z.array(gpuDevice),
  /** Versions of what the drivers bring along; null: not there. */
  runtimes: z.object({ cuda: text, rocm: text }).default({ cuda: null, rocm: null }),
  /** The disk where models are kept. */
  disk: z.object({ path: z.string(), freeBytes: z.number().nullable() }),
  /** What could not be read, or what sources disagree about, one sentence each. */
  notes: z.array(z.string()),
});
export type HardwareSnapshot = z.infer<typeof hardwareSnapshot>;

/** What changes from second to second. Sizes in bytes; null where no source told. */
export const hardwareSample = z.object({
  takenAt: z.string(),
  /** Share of all cores in use since the sample before, 0 to 100. */
  cpu: z.object({ utilizationPercent: number }),
  memory: z.object({ totalBytes: z.number(), availableBytes: z.number() }),
  /** The devices of the snapshot, in its order. */
  gpus: z.array(
    z.object({
      id: z.string(),
      usedBytes: bytes,
      freeBytes: bytes,
      utilizationPercent: number,
      temperatureCelsius: number,
      powerWatts: number,
    }),
  ),
});
export type HardwareSample = z.infer<typeof hardwareSample>;
export type GpuSample = HardwareSample["gpus"][number];
