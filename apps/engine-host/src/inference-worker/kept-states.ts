import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, statSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import type { Token } from "node-llama-cpp";
import { stateFolderOf } from "../engines/state-folder.ts";
import type { EvaluationPace } from "./evaluation-pace.ts";
import { sharedPrefix } from "./shared-prefix.ts";
import type { Slot } from "./slot-pool.ts";
import { isIntact, labelStateFile, readStateFile, type StateFile } from "./state-file.ts";

/** Shorter prompts are read again faster than anybody notices. */
const fewestTokens = 256;
/** What a disk gives at the least, bytes per ms, until it was measured: a SATA SSD's 400 MB/s. */
const assumedDiskSpeed = 400_000;
/** Weight of the newest measurement of the disk. */
const newest = 0.5;
/** A smaller file tells how busy the machine is, not how fast its disk is, bytes. */
const fewestBytesToMeasure = 16 * 2 ** 20;

export interface KeptStatesOptions {
  directory: string;
  budgetBytes: number;
  /** Identity of the model as loaded. */
  model: string;
  /** Bytes of KV cache per token. */
  tokenBytes: number;
  pace: EvaluationPace;
  log: (message: string) => void;
}

/**
 * KV caches on disk, for conversations that lost their slot. The directory is the index: one file per state, complete or
 * absent, whatever is killed when. A state is used only for its own owner, for the tokens it has in common with the
 * prompt, and after its checksum was found right.
 */
export class KeptStates {
  readonly #options: KeptStatesOptions;
  /** Bytes per ms: written with its checksum, and read back with it. */
  #writeSpeed = assumedDiskSpeed;
  #readSpeed = assumedDiskSpeed;

  constructor(options: KeptStatesOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    chmodSync(options.directory, 0o700);
    this.#sweep();
  }

  /**
   * Keeps what a slot holds, if that pays: writing and reading back must be faster than reading the prompt again.
   * Never throws: what cannot be kept is read again.
   */
  async keep(slot: Slot): Promise<void> {
    const { sequence, owner } = slot;
    if (owner === null || slot.isKept || slot.isForgotten) return;
    slot.isKept = true;
    const tokens = Uint32Array.from(sequence.contextTokens);
    const { tokenBytes, budgetBytes, pace, model } = this.#options;
    const bytes = tokens.length * tokenBytes;
    const prefillSpeed = pace.tokensPerSecond ?? 0;
    if (tokens.length < fewestTokens || bytes > budgetBytes || prefillSpeed === 0) return;
    const diskMs = bytes / this.#writeSpeed + bytes / this.#readSpeed;
    if (diskMs > (tokens.length / prefillSpeed) * 1000) return;

    const folder = stateFolderOf(this.#options.directory, owner);
    const path = join(folder, this.#nameOf(tokens));
    const unfinished = `${path}.${process.pid}.tmp`;
    const startedAt = performance.now();
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#makeRoom(bytes);
      // Guessed tokens that were not asked for are no part of the conversation.
      await sequence.eraseContextTokenRanges([{ start: sequence.nextTokenIndex, end: Infinity }]);
      await sequence.saveStateToFile(unfinished);
      const written = await labelStateFile(unfinished, {
        ...{ model, prefillSpeed },
        owner: basename(folder),
        tokens: tokens.length,
      });
      this.#writeSpeed = measured(this.#writeSpeed, written, performance.now() - startedAt);
      if (slot.isForgotten) throw new Error("The conversation was deleted meanwhile");
      const superseded = this.#statesOf(owner).filter(
        (state) => sharedPrefix(state.tokens, tokens) === state.tokens.length,
      );
      renameSync(unfinished, path);
      for (const state of superseded) if (state.path !== path) remove(state.path);
    } catch (error) {
      remove(unfinished);
      this.#options.log(`A KV cache was not kept: ${String(error).slice(0, 200)}`);
    }
  }

  /** The owner is at work: what is kept of it is not the first to go. */
  touch(owner: string): void {
    const now = new Date();
    for (const { path } of this.#statesOf(owner)) utimesSync(path, now, now);
  }

  /**
   * Fills a slot with what was kept of the owner's prompts, if that is faster than reading the rest of this prompt.
   * @param present tokens of the prompt the slot holds already
   * @returns whether the slot was filled; else it is as it was, or empty
   */
  async restore(slot: Slot, owner: string, prompt: readonly Token[], present: number): Promise<boolean> {
    const candidates = this.#statesOf(owner)
      .filter(({ tokens }) => tokens.length < slot.contextSize)
      .map((state) => ({ state, shared: sharedPrefix(state.tokens, prompt) }))
      .toSorted((a, b) => b.shared - a.shared);
    for (const { state, shared } of candidates) {
      const speed = this.#options.pace.tokensPerSecond ?? state.label.prefillSpeed;
      if (shared - present < fewestTokens / 2 || speed <= 0) return false;
      if (state.label.bytes / this.#readSpeed > ((shared - present) / speed) * 1000) return false;
      if (await this.#load(slot, state)) return true;
    }
    return false;
  }

  async #load(slot: Slot, state: StateFile): Promise<boolean> {
    const startedAt = performance.now();
    try {
      if (!(await isIntact(state))) throw new Error("its checksum is wrong");
      await slot.sequence.clearHistory();
      await slot.sequence.loadStateFromFile(state.path, { acceptRisk: true });
      this.#readSpeed = measured(this.#readSpeed, state.label.bytes, performance.now() - startedAt);
      return true;
    } catch (error) {
      remove(state.path);
      await slot.sequence.clearHistory();
      this.#options.log(`A kept KV cache could not be used (${String(error).slice(0, 200)}) and was deleted.`);
      return false;
    }
  }

  /** Sound files of this owner and model. Damaged ones are deleted on the way. */
  #statesOf(owner: string): StateFile[] {
    const folder = stateFolderOf(this.#options.directory, owner);
    return namesIn(folder)
      .filter((name) => name.startsWith(this.#prefix) && name.endsWith(".state"))
      .flatMap((name) => {
        const state = readStateFile(join(folder, name));
        if (state && state.label.model === this.#options.model && state.label.owner === basename(folder))
          return [state];
        remove(join(folder, name));
        return [];
      });
  }

  get #prefix(): string {
    return `${this.#options.model.slice(0, 16)}-`;
  }

  #nameOf(tokens: Uint32Array): string {
    return `${this.#prefix}${createHash("sha256").update(tokens).digest("hex").slice(0, 16)}.state`;
  }

  /** Deletes the least recently used files, of any model, until so many bytes more are within the budget. */
  #makeRoom(bytes: number): void {
    const files = this.#all().toSorted((a, b) => b.usedAt - a.usedAt);
    let total = files.reduce((sum, file) => sum + file.bytes, bytes);
    for (let oldest = files.pop(); oldest && total > this.#options.budgetBytes; oldest = files.pop()) {
      remove(oldest.path);
      total -= oldest.bytes;
    }
  }

  /** Removes what killed processes left unfinished, empty folders, and whatever else is no state. */
  #sweep(): void {
    this.#makeRoom(0);
    for (const folder of namesIn(this.#options.directory)) {
      const path = join(this.#options.directory, folder);
      for (const name of namesIn(path)) {
        const [, writer] = /\.(\d+)\.tmp$/.exec(name) ?? [];
        if (writer !== undefined ? !isAlive(Number(writer)) : !name.endsWith(".state")) remove(join(path, name));
      }
      try {
        rmdirSync(path);
      } catch {
        // Not empty: in use.
      }
    }
  }

  #all(): { path: string; bytes: number; usedAt: number }[] {
    return namesIn(this.#options.directory).flatMap((folder) =>
      namesIn(join(this.#options.directory, folder)).flatMap((name) => {
        const path = join(this.#options.directory, folder, name);
        const found = name.endsWith(".state") ? statSync(path, { throwIfNoEntry: false }) : undefined;
        return found ? [{ path, bytes: found.size, usedAt: found.mtimeMs }] : [];
      }),
    );
  }
}

function measured(speed: number, bytes: number, ms: number): number {
  return bytes < fewestBytesToMeasure ? speed : speed + newest * (bytes / ms - speed);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true, recursive: true });
  } catch {
    // Somebody holds it open (Windows): the next sweep gets it.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
