import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HardwareSnapshot } from "@corral/protocol";
import { createFakeEngine, type FakeEngine, type FakeScript } from "../../engines/fake-engine.ts";
import { buildGguf } from "../../engines/gguf.test-builder.ts";
import { openLogger } from "../../logger.ts";
import { neededBytes } from "../../planning/placement.ts";
import type { ModelFile, Store } from "../../store/store.ts";
import { createModels, type ModelsOptions } from "../create-models.ts";
import type { Models } from "../models.ts";
import { memorySettings } from "./memory-settings.ts";
import { TestClock } from "./test-clock.ts";

const gibibyte = 2 ** 30;

/** Tables of the store that are kept as long as the test. */
export function memoryStore(): Pick<Store, "modelFiles" | "fitMeasurements" | "settings"> {
  let files: ModelFile[] = [];
  return {
    settings: memorySettings(),
    fitMeasurements: { list: () => Promise.resolve([]), add: () => Promise.resolve() },
    modelFiles: {
      list: () => Promise.resolve(files),
      add: (entry) => {
        const file = { ...entry, addedAt: new Date(0).toISOString() };
        files = [...files, file];
        return Promise.resolve(file);
      },
      remove: (id) => {
        files = files.filter((file) => file.id !== id);
        return Promise.resolve();
      },
    },
  };
}

function cpuMachine(availableBytes: number): HardwareSnapshot {
  return {
    takenAt: new Date(0).toISOString(),
    os: { platform: "linux", distribution: "Test", architecture: "x64" },
    cpu: { name: "Test CPU", physicalCores: 4, logicalCores: 8, instructionSets: [] },
    memory: { totalBytes: 32 * gibibyte, availableBytes },
    numaNodes: [],
    gpus: [],
    runtimes: { cuda: null, rocm: null },
    disk: { path: "/", freeBytes: null },
    notes: [],
  };
}

/** Models on a fake engine, a machine without GPU and a clock that stands still. */
export class TestModels implements AsyncDisposable {
  readonly folder: string;
  readonly clock = new TestClock();
  readonly engine: FakeEngine;
  readonly models: Models;
  /** Main memory that is free before anything is loaded, bytes. */
  available = 30 * gibibyte;
  /** What each loaded model but the reader takes of it. */
  modelBytes = 0;

  private constructor(folder: string, script: FakeScript, options: Partial<ModelsOptions>) {
    this.folder = folder;
    this.engine = createFakeEngine(script);
    this.models = createModels({
      store: memoryStore(),
      engine: this.engine,
      hardware: {
        snapshot: () => Promise.resolve(cpuMachine(this.available - this.#taken())),
        watch: () => {
          throw new Error("Nobody watches here.");
        },
      },
      logger: openLogger({ directory: null, stderr: null }),
      embeddedModelPath: join(folder, "reader.gguf"),
      clock: this.clock,
      ...options,
    });
  }

  /** With the reader and these registered files. */
  static async create(
    script: FakeScript = {},
    names: string[] = ["a", "b"],
    options: Partial<ModelsOptions> = {},
  ): Promise<TestModels> {
    const test = new TestModels(await mkdtemp(join(tmpdir(), "corral-models-")), script, options);
    await writeFile(join(test.folder, "reader.gguf"), buildGguf());
    for (const name of names) await test.add(name);
    return test;
  }

  async add(name: string, file: Uint8Array = buildGguf()): Promise<void> {
    await writeFile(join(this.folder, `${name}.gguf`), file);
    await this.models.add(join(this.folder, `${name}.gguf`));
  }

  async state(id: string) {
    return (await this.models.list()).find((model) => model.id === id)?.state;
  }

  /** Leaves room for this many models like this one and a half. */
  async makeRoomFor(count: number, like = "a"): Promise<void> {
    const [main] = (await this.models.plan(like)).devices;
    if (!main) throw new Error("Every plan has main memory.");
    this.modelBytes = neededBytes(main) - main.reserveBytes;
    this.available = main.reserveBytes + (count + 0.5) * this.modelBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.models[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }

  #taken(): number {
    return [...this.engine.loaded].filter((id) => id !== "corral-reader").length * this.modelBytes;
  }
}

/** Lets what is under way and needs no clock get done: as many timers and looks at files as that takes. */
export async function settle(): Promise<void> {
  for (let step = 0; step < 25; step++) {
    await stat(tmpdir());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
