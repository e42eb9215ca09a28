import type { GpuDevice, GpuPeer } from "@corral/protocol";

/**
 * What one source tells of one GPU; everything it does not tell is absent or null. Readings of the same device from
 * several sources become one `GpuDevice`.
 */
export interface GpuReading extends Partial<Omit<GpuDevice, "id" | "sources" | "peers" | "source" | "partition">> {
  source: string;
  vendor: string;
  /** The vendor's UUID. */
  uuid: string | null;
  /** "0000:c1:00.0". */
  busAddress: string | null;
  /** Connections to other GPUs of this source, by their UUID or PCI address. */
  peers?: GpuPeer[];
  /** For a part of a divided GPU: the UUID of the whole one, and the profile. */
  partition?: GpuDevice["partition"];
}

/** What a source has to say. */
export interface GpuSource {
  gpus: GpuReading[];
  notes: string[];
  runtimes?: { cuda?: string | null; rocm?: string | null };
}

/** Whether a process belongs to Corral. */
export type IsOurs = (pid: number) => Promise<boolean>;
