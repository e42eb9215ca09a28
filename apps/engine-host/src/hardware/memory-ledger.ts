import type { HardwareSnapshot } from "@corral/protocol";
import type { Hardware } from "./hardware.ts";

/** Bytes by device id; "cpu" is main memory. */
export type BytesByDevice = ReadonlyMap<string, number>;

/** Memory set aside for one load. Disposing gives it back. */
export interface Reservation extends Disposable {
  /**
   * The load is done: what it took shows in what the devices say is free. Only `hiddenBytes` stay set aside: memory that is
   * the model's though the system calls it available, such as weights mapped from their file, and buffers not yet touched.
   */
  settle(hiddenBytes: BytesByDevice): void;
}

interface Entry {
  /** All of the load. */
  needs: BytesByDevice;
  /** What the devices do not show as used. */
  hidden: BytesByDevice;
}

/**
 * Who has been promised which memory. Two loads that start together must not both count on the same free bytes, and a model
 * that is to be replaced counts as what it frees. What other programs use is read anew for each load.
 */
export class MemoryLedger {
  readonly #hardware: Pick<Hardware, "snapshot">;
  readonly #entries = new Map<Reservation, Entry>();
  /** Grows with each change after which an older snapshot would be misread. */
  #changes = 0;

  constructor(hardware: Pick<Hardware, "snapshot">) {
    this.#hardware = hardware;
  }

  /**
   * The hardware as a new load finds it: free is what nobody uses and nobody has been promised.
   * @param replaced what the load would replace; its memory counts as free
   * @throws CorralError CANCELLED
   */
  async read(signal: AbortSignal, replaced: readonly Reservation[] = []): Promise<HardwareSnapshot> {
    return (await this.look(signal))(replaced);
  }

  /**
   * One look at the hardware, to be asked what a new load would find with these or those gone.
   * @throws CorralError CANCELLED
   */
  async look(signal: AbortSignal): Promise<(replaced: readonly Reservation[]) => HardwareSnapshot> {
    const snapshot = await this.#snapshot(signal);
    return (replaced) => this.#less(snapshot, replaced);
  }

  /**
   * Reads the hardware, lets `choose` decide what to take of it, and sets that aside in the same moment.
   * @throws CorralError CANCELLED; what `choose` throws, and then nothing is set aside
   */
  async reserve<Choice>(
    choose: (hardware: HardwareSnapshot) => { choice: Choice; needs: BytesByDevice },
    signal: AbortSignal,
  ): Promise<{ choice: Choice; reservation: Reservation }> {
    const snapshot = await this.#snapshot(signal);
    // No await from here on: nobody else can count the same bytes.
    const { choice, needs } = choose(this.#less(snapshot, []));
    const reservation: Reservation = {
      settle: (hidden) => this.#settle(reservation, hidden),
      [Symbol.dispose]: () => {
        if (this.#entries.delete(reservation)) this.#changes++;
      },
    };
    this.#entries.set(reservation, { needs, hidden: needs });
    return { choice, reservation };
  }

  /** A snapshot taken while a load ended would show neither its memory in use nor its promise: read again. */
  async #snapshot(signal: AbortSignal): Promise<HardwareSnapshot> {
    for (;;) {
      const before = this.#changes;
      const snapshot = await this.#hardware.snapshot(signal);
      if (this.#changes === before) return snapshot;
    }
  }

  #settle(reservation: Reservation, hidden: BytesByDevice): void {
    const entry = this.#entries.get(reservation);
    if (!entry) return;
    entry.hidden = hidden;
    this.#changes++;
  }

  #less(hardware: HardwareSnapshot, replaced: readonly Reservation[]): HardwareSnapshot {
    const free = (id: string, bytes: number, most: number | null) => {
      let left = bytes;
      for (const [reservation, { needs, hidden }] of this.#entries) {
        // Of what a replaced model has, the hidden part is in `bytes` already.
        if (replaced.includes(reservation)) left += (needs.get(id) ?? 0) - (hidden.get(id) ?? 0);
        else left -= hidden.get(id) ?? 0;
      }
      return Math.max(0, Math.min(left, most ?? Infinity));
    };
    const { memory, gpus } = hardware;
    const unified = gpus.filter(({ unifiedMemory }) => unifiedMemory);
    // The memory of such a GPU is main memory.
    const unifiedTaken = unified.reduce((sum, { id }) => sum + this.#hiddenOn(id, replaced), 0);
    return {
      ...hardware,
      memory: {
        ...memory,
        availableBytes: Math.max(0, free("cpu", memory.availableBytes, memory.totalBytes) - unifiedTaken),
      },
      gpus: gpus.map((gpu) =>
        gpu.freeBytes === null ? gpu : { ...gpu, freeBytes: free(gpu.id, gpu.freeBytes, gpu.totalBytes) },
      ),
    };
  }

  #hiddenOn(id: string, replaced: readonly Reservation[]): number {
    let sum = 0;
    for (const [reservation, { hidden }] of this.#entries) {
      if (!replaced.includes(reservation)) sum += hidden.get(id) ?? 0;
    }
    return sum;
  }
}
