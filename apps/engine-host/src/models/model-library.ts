import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { CorralError, type ErrorReport } from "@corral/protocol";
import type { Store } from "../store/store.ts";
import { readGgufHeader, type GgufHeader } from "../engines/gguf-header.ts";

/** A model file this machine knows of. */
export interface LibraryModel {
  id: string;
  name: string;
  path: string;
  fileBytes: number;
  embedded: boolean;
  /** Null while the file is gone or damaged; `problem` then says why. */
  header: GgufHeader | null;
  isAbsent: boolean;
  problem: ErrorReport | null;
}

/** Id of the model that ships with Corral. */
const embeddedModelId = "corral-reader";

/** The family of models that can only quote, wherever their files lie: `general.name` tells them. */
export function quotesOnly({ embedded, header }: LibraryModel): boolean {
  return embedded || (header?.name.startsWith("Corral Reader") ?? false);
}

interface KnownHeader {
  /** Changes with the file. */
  stamp: string;
  header: GgufHeader | null;
  problem: ErrorReport | null;
}

/** Which models there are: the embedded reader and the GGUF files the owner registered. Reads headers, loads nothing. */
export class ModelLibrary {
  readonly #files: Store["modelFiles"];
  readonly #embeddedPath: string | null;
  readonly #headers = new Map<string, KnownHeader>();
  /** One registration at a time: two files of the same name must not get the same id. */
  #adding: Promise<unknown> = Promise.resolve();

  constructor(files: Store["modelFiles"], embeddedPath: string | null) {
    this.#files = files;
    this.#embeddedPath = embeddedPath === null ? null : resolve(embeddedPath);
  }

  /** The embedded reader first, then what was registered, in that order. */
  async list(): Promise<LibraryModel[]> {
    const registered = await Promise.all(
      (await this.#files.list()).map((file) => this.#describe({ ...file, embedded: false })),
    );
    const embedded = await this.#embedded();
    return embedded ? [embedded, ...registered] : registered;
  }

  /** @throws CorralError MODEL_NOT_FOUND */
  async get(id: string): Promise<LibraryModel> {
    const model = (await this.list()).find((candidate) => candidate.id === id);
    if (!model) throw notFound(id);
    return model;
  }

  /** @throws CorralError FILE_NOT_FOUND, EMPTY_FILE, MODEL_FILE_INVALID */
  async add(path: string): Promise<LibraryModel> {
    const absolute = resolve(path);
    const header = await readGgufHeader(absolute);
    const adding = this.#adding.then(async () => {
      if (absolute === this.#embeddedPath) return embeddedModelId;
      const known = await this.#files.list();
      const same = known.find((file) => file.path === absolute);
      if (same) return same.id;
      const id = uniqueId(absolute, new Set([embeddedModelId, ...known.map((file) => file.id)]));
      await this.#files.add({ id, name: header.name, path: absolute, bytes: header.fileBytes });
      return id;
    });
    this.#adding = adding.catch(() => undefined);
    return this.get(await adding);
  }

  /** Forgets the model; its file stays. @throws CorralError MODEL_NOT_FOUND, INVALID_INPUT */
  async remove(id: string): Promise<void> {
    const model = await this.get(id);
    if (model.embedded) {
      const reason = "The reader model is part of Corral and cannot be removed.";
      throw new CorralError("INVALID_INPUT", reason, { field: "model", reason });
    }
    await this.#files.remove(id);
  }

  async #embedded(): Promise<LibraryModel | null> {
    if (this.#embeddedPath === null) return null;
    const model = await this.#describe({
      id: embeddedModelId,
      name: basename(this.#embeddedPath),
      path: this.#embeddedPath,
      bytes: 0,
      embedded: true,
    });
    return model.isAbsent ? null : { ...model, name: model.header?.name ?? model.name };
  }

  async #describe(file: {
    id: string;
    name: string;
    path: string;
    bytes: number;
    embedded: boolean;
  }): Promise<LibraryModel> {
    const { id, name, path, embedded } = file;
    const found = await stat(path).catch(() => null);
    if (!found) {
      const message = `The file of ${name} is gone: ${path}. Put it back, or remove the model.`;
      const problem = new CorralError("FILE_NOT_FOUND", message, { file: path }).report();
      return { id, name, path, embedded, fileBytes: file.bytes, header: null, isAbsent: true, problem };
    }
    const { header, problem } = await this.#header(path, `${found.size} ${found.mtimeMs} ${found.ino}`);
    return { id, name, path, embedded, fileBytes: header?.fileBytes ?? found.size, header, isAbsent: false, problem };
  }

  async #header(path: string, stamp: string): Promise<KnownHeader> {
    const known = this.#headers.get(path);
    if (known?.stamp === stamp) return known;
    const read: KnownHeader = await readGgufHeader(path).then(
      (header) => ({ stamp, header, problem: null }),
      (error: unknown) => ({ stamp, header: null, problem: CorralError.reportOf(error) }),
    );
    this.#headers.set(path, read);
    return read;
  }
}

function notFound(id: string): CorralError<"MODEL_NOT_FOUND"> {
  return new CorralError("MODEL_NOT_FOUND", `There is no model ${id}. See the list of models for their ids.`, {
    model: id,
  });
}

/** The file's name as an id: at most 60 characters of a-z, 0-9, dot, dash and underscore. */
function uniqueId(path: string, taken: ReadonlySet<string>): string {
  const slug = basename(path)
    .toLowerCase()
    .replace(/(-00001-of-\d{5})?\.gguf$/, "")
    .normalize("NFKD")
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, 56);
  const base = slug || "model";
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}
