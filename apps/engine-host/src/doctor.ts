import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { CorralError, type DoctorCheck, type OcrData } from "@corral/protocol";
import { DEFAULT_PORT } from "./config.ts";
import type { Hardware } from "./hardware/hardware.ts";
import type { Models } from "./models/models.ts";
import type { Store } from "./store/store.ts";

/** What the checks look at. */
export interface Patient {
  dataDirectory: string;
  uiDirectory: string;
  store: Store;
  hardware: Hardware;
  models: Models;
  /** Addresses this host listens on. */
  addresses(): string[];
  /** Starts a document reader and has it answer; rejects when it does not. */
  checkReader(signal: AbortSignal): Promise<void>;
  /** Text recognition as it is installed. */
  recognition(): Promise<OcrData>;
}

/** Below this much free disk a warning is due, bytes. */
const LOW_DISK_BYTES = 2 * 2 ** 30;
/** One check may take this long, ms; loading the model on a slow disk is the longest. */
const CHECK_LIMIT_MS = 60_000;

type Finding = Omit<DoctorCheck, "id" | "title">;

/** Checks, one after the other, that everything Corral needs works on this machine. */
export function createDoctor(patient: Patient): { check(signal?: AbortSignal): Promise<DoctorCheck[]> } {
  const checks: [id: string, title: string, find: (signal: AbortSignal) => Promise<Finding>][] = [
    ["runtime", "Node", () => Promise.resolve(checkRuntime())],
    ["data-directory", "Data directory", () => checkDataDirectory(patient.dataDirectory)],
    ["disk", "Free disk", (signal) => checkDisk(patient, signal)],
    ["database", "Database", () => checkDatabase(patient.store)],
    ["hardware", "Hardware", (signal) => checkHardware(patient.hardware, signal)],
    ["model-file", "Model", () => checkModelFile(patient.models)],
    ["engine", "Model loads", (signal) => checkEngine(patient.models, signal)],
    ["document-reader", "Document reader", (signal) => checkReader(patient, signal)],
    ["text-recognition", "Text recognition", () => checkRecognition(patient)],
    ["web-interface", "Web interface", () => checkWebInterface(patient.uiDirectory)],
    ["port", "Port", () => checkPort(patient.addresses())],
    ["desktop", "Desktop window", () => checkDesktop()],
  ];
  return {
    async check(signal) {
      const results: DoctorCheck[] = [];
      for (const [id, title, find] of checks) {
        signal?.throwIfAborted();
        const limit = AbortSignal.timeout(CHECK_LIMIT_MS);
        const bounded = signal ? AbortSignal.any([signal, limit]) : limit;
        const finding = await find(bounded).catch((error: unknown) => failure(error));
        results.push({ id, title, ...finding });
      }
      return results;
    },
  };
}

const ok = (detail: string): Finding => ({ status: "ok", detail, remedy: null });
const warning = (detail: string, remedy: string): Finding => ({ status: "warning", detail, remedy });
const failed = (detail: string, remedy: string): Finding => ({ status: "failed", detail, remedy });

function failure(error: unknown): Finding {
  const detail = error instanceof Error ? error.message : "It did not work.";
  const remedy = error instanceof CorralError ? null : "The log in the data directory has the details.";
  return { status: "failed", detail, remedy };
}

function checkRuntime(): Finding {
  return ok(`${process.version} on ${process.platform} ${process.arch}`);
}

async function checkDataDirectory(directory: string): Promise<Finding> {
  await access(directory, constants.R_OK | constants.W_OK);
  const { mode } = await stat(directory);
  const isOpen = process.platform !== "win32" && (mode & 0o077) !== 0;
  if (!isOpen) return ok(directory);
  return warning(`${directory} can be read by other users`, `Make it private: chmod 700 ${directory}`);
}

async function checkDisk({ hardware }: Patient, signal: AbortSignal): Promise<Finding> {
  const { disk } = await hardware.snapshot(signal);
  if (disk.freeBytes === null) return warning("The free space could not be read.", "Look at the disk yourself.");
  const free = `${(disk.freeBytes / 2 ** 30).toFixed(1)} GiB free at ${disk.path}`;
  return disk.freeBytes < LOW_DISK_BYTES ? warning(free, "Free some space: documents and models need room.") : ok(free);
}

async function checkDatabase(store: Store): Promise<Finding> {
  const { schema, sqliteVersion, integrity, pragmas } = await store.check();
  if (integrity !== "ok") {
    const remedy = "Stop Corral, copy the data directory, and add your documents to a new one.";
    return failed(`The database is damaged: ${integrity}`, remedy);
  }
  return ok(`whole; schema ${schema}, SQLite ${sqliteVersion}, journal ${pragmas["journal_mode"] ?? "unknown"}`);
}

async function checkHardware(hardware: Hardware, signal: AbortSignal): Promise<Finding> {
  const { gpus, memory, notes } = await hardware.snapshot(signal);
  const names = gpus.map((gpu) => gpu.name).join(", ") || "no GPU; models run on the processor";
  const detail = `${names}; ${(memory.totalBytes / 2 ** 30).toFixed(1)} GiB memory`;
  return notes.length === 0
    ? ok(detail)
    : warning(`${detail}. ${notes.join(" ")}`, "Nothing to do if that is expected.");
}

async function checkModelFile(models: Models): Promise<Finding> {
  const list = await models.list();
  const usable = list.filter((model) => model.state !== "absent" && model.state !== "quarantined");
  const [first] = usable;
  if (!first) return failed("There is no model Corral could ask.", "Add one: corral models add FILE.gguf");
  const missing = list.filter((model) => model.state === "absent").map((model) => model.name);
  const detail = usable.map((model) => `${model.name} (${model.quantization})`).join(", ");
  if (missing.length === 0) return ok(detail);
  return warning(`${detail}; files gone: ${missing.join(", ")}`, "Put the files back, or remove those models.");
}

async function checkEngine(models: Models, signal: AbortSignal): Promise<Finding> {
  await using lease = await models.acquire(null, { signal });
  const { backend, contextSize, loadMs } = lease.model.facts;
  const [tokens] = await lease.model.countTokens(["Corral"], signal);
  if (!tokens) return failed("The model answers, but not sensibly.", "Replace its file.");
  return ok(`${lease.summary.name} on ${backend}, context ${contextSize} tokens, loaded in ${Math.round(loadMs)} ms`);
}

async function checkRecognition(patient: Patient): Promise<Finding> {
  const { directory, languages } = await patient.recognition();
  const names = (usable: boolean) => languages.filter((language) => language.usable === usable).map(({ name }) => name);
  const [usable, damaged] = [names(true), names(false)];
  const how = `put LANGUAGE.traineddata of Tesseract into ${directory}`;
  if (usable.length === 0) {
    return {
      status: "warning",
      detail: "No language data: scans and pictures stay without text.",
      remedy: `To read them, ${how}.`,
    };
  }
  const detail = `Scans and pictures are read in ${usable.join(", ")}.`;
  if (damaged.length === 0) return { status: "ok", detail, remedy: null };
  const remedy = `Replace or remove the damaged data in ${directory}: ${damaged.join(", ")}.`;
  return { status: "warning", detail: `${detail} Damaged: ${damaged.join(", ")}.`, remedy };
}

async function checkReader(patient: Patient, signal: AbortSignal): Promise<Finding> {
  await patient.checkReader(signal);
  return ok("starts and answers");
}

async function checkWebInterface(directory: string): Promise<Finding> {
  const isBuilt = await access(join(directory, "index.html")).then(
    () => true,
    () => false,
  );
  return isBuilt ? ok("built") : warning("not built", "Run npm run build:ui in the Corral folder.");
}

function checkPort(own: string[]): Promise<Finding> {
  if (own.length > 0) return Promise.resolve(ok(`Corral listens at ${own.join(", ")}`));
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(
        warning(`${DEFAULT_PORT} is taken`, "corral serve then takes the next free one; or name one with --port."),
      );
    });
    server.listen({ port: DEFAULT_PORT, host: "127.0.0.1" }, () => {
      server.close(() => resolve(ok(`${DEFAULT_PORT} is free`)));
    });
  });
}

async function checkDesktop(): Promise<Finding> {
  const remedy = "Use corral serve --open, which shows the same interface in a browser.";
  if (process.platform === "linux" && !process.env["DISPLAY"] && !process.env["WAYLAND_DISPLAY"]) {
    return warning("There is no display.", remedy);
  }
  try {
    const require = createRequire(import.meta.url);
    const folder = join(require.resolve("electron/package.json"), "..");
    await access(join(folder, "path.txt"));
    return ok("Electron is installed");
  } catch {
    return warning("Electron's program is not installed.", remedy);
  }
}
