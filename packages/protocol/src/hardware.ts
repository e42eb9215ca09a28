import { z } from "zod";

/** One GPU as the host sees it. All sizes in bytes; null where no source told. */
export const gpuDevice = z.object({
  id: z.string(),
  index: z.number().int(),
  name: z.string(),
  vendor: z.string(),
  totalBytes: z.number().nullable(),
  freeBytes: z.number().nullable(),
  driver: z.string().nullable(),
  /** Which source told: "nvidia-smi" or "systeminformation". */
  source: z.string(),
});
export type GpuDevice = z.infer<typeof gpuDevice>;

/** What this machine has right now. Sizes in bytes. */
export const hardwareSnapshot = z.object({
  takenAt: z.string(),
  os: z.object({ platform: z.string(), distribution: z.string(), architecture: z.string() }),
  cpu: z.object({ name: z.string(), physicalCores: z.number(), logicalCores: z.number() }),
  memory: z.object({ totalBytes: z.number(), availableBytes: z.number() }),
  gpus: z.array(gpuDevice),
  disk: z.object({ path: z.string(), freeBytes: z.number().nullable() }),
  /** What could not be read, one sentence each. */
  notes: z.array(z.string()),
});
export type HardwareSnapshot = z.infer<typeof hardwareSnapshot>;
