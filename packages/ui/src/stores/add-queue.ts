import type { AddResult } from "@corral/protocol";
import type { Connection } from "../connection/connection.ts";
import { fileNotOnDisk, reportOf } from "../connection/error-report.ts";
import type { Adding } from "./library-store.ts";

/** Uploads at the same time: enough to fill a link, few enough that the first file is there soon. */
const CONCURRENT = 2;

/** What the queue tells its owner. */
export interface AddQueueEvents {
  put(entry: Adding): void;
  remove(id: string): void;
  arrived(result: AddResult): void;
}

interface Job {
  entry: Adding;
  /** Null for a path that was picked in the system's dialog. */
  readonly file: File | null;
  readonly path: string;
  readonly stop: AbortController;
}

/** Brings files into collections, a few at a time, and tells how far each is. */
export class AddQueue {
  readonly #connection: Connection;
  readonly #events: AddQueueEvents;
  readonly #jobs = new Map<string, Job>();
  #running = 0;

  constructor(connection: Connection, events: AddQueueEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  /** @returns the ids of the entries */
  add(collectionId: string, files: readonly File[]): string[] {
    const { files: transfer } = this.#connection;
    const jobs = files.map((file) =>
      job(collectionId, file.name, file.size, file, transfer.kind === "paths" ? transfer.pathOf(file) : ""),
    );
    return this.#enqueue(jobs);
  }

  addPaths(collectionId: string, paths: readonly string[]): string[] {
    return this.#enqueue(paths.map((path) => job(collectionId, path.split(/[\\/]/).at(-1) ?? path, 0, null, path)));
  }

  /** Stops an entry and forgets it. */
  cancel(id: string): void {
    this.#jobs.get(id)?.stop.abort();
    this.#jobs.delete(id);
    this.#events.remove(id);
  }

  retry(id: string): void {
    const failed = this.#jobs.get(id);
    if (!failed || (failed.entry.state !== "failed" && failed.entry.state !== "refused")) return;
    this.#change(failed, { state: "waiting", sentBytes: 0, error: null });
    this.#startNext();
  }

  #enqueue(jobs: Job[]): string[] {
    for (const added of jobs) {
      this.#jobs.set(added.entry.id, added);
      this.#events.put(added.entry);
    }
    this.#startNext();
    return jobs.map(({ entry }) => entry.id);
  }

  #startNext(): void {
    while (this.#running < CONCURRENT) {
      const next = [...this.#jobs.values()].find(({ entry }) => entry.state === "waiting");
      if (!next) return;
      this.#running++;
      void this.#run(next).finally(() => {
        this.#running--;
        this.#startNext();
      });
    }
  }

  async #run(current: Job): Promise<void> {
    this.#change(current, { state: "sending" });
    try {
      // A folder that was dropped in the desktop app gives one result per file in it.
      for (const [index, result] of (await this.#transfer(current)).entries()) {
        if (current.stop.signal.aborted) return;
        this.#events.arrived(result);
        const outcome = { state: result.outcome, documentId: result.document?.id ?? null, error: result.error };
        if (index === 0) this.#change(current, outcome);
        else this.#events.put({ ...current.entry, ...outcome, id: crypto.randomUUID(), name: baseName(result.file) });
      }
    } catch (error) {
      if (!current.stop.signal.aborted) this.#change(current, { state: "failed", error: reportOf(error) });
    }
  }

  async #transfer({ entry, file, path, stop }: Job): Promise<AddResult[]> {
    const { files: transfer, client } = this.#connection;
    const { collectionId } = entry;
    if (transfer.kind === "paths" || !file) {
      if (!path) throw fileNotOnDisk(entry.name);
      return client.library.addPaths({ collectionId, paths: [path] }, { signal: stop.signal });
    }
    const onProgress = (sentBytes: number) => {
      const current = this.#jobs.get(entry.id);
      if (current) this.#change(current, { sentBytes });
    };
    return [await transfer.send(collectionId, file, { signal: stop.signal, onProgress })];
  }

  #change(current: Job, change: Partial<Adding>): void {
    if (current.stop.signal.aborted) return;
    current.entry = { ...current.entry, ...change };
    this.#events.put(current.entry);
  }
}

function job(collectionId: string, name: string, bytes: number, file: File | null, path: string): Job {
  const entry: Adding = {
    id: crypto.randomUUID(),
    collectionId,
    name,
    bytes,
    sentBytes: 0,
    state: "waiting",
    documentId: null,
    error: null,
  };
  return { entry, file, path, stop: new AbortController() };
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
