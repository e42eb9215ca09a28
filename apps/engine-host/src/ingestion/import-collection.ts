import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { inflate } from "node:zlib";
import { type Collection, CorralError, type TransferEvent } from "@corral/protocol";
import type { z } from "zod";
import type { DocumentContent, DocumentVectors, Store } from "../store/store.ts";
import { CollectionFileError, CollectionFileReader, type ReadRecord } from "./collection-file.ts";
import { collectionChunks, type CollectionDocument, collectionPages } from "./collection-records.ts";
import { fileSystemError, unreadableFile } from "./file-errors.ts";
import { formatOf } from "./file-types.ts";
import type { OwnedFiles, ReceivedFile } from "./owned-files.ts";
import { readLimits } from "./reading-queue.ts";
import { safeName } from "./safe-name.ts";

/** JSON of a part at most, once inflated. Bytes. */
const LARGEST_PART = 64 * 2 ** 20;
/** Progress is told after so many bytes. */
const PROGRESS_BYTES = 2 ** 20;

const inflated = promisify(inflate);

export interface ImportOptions {
  store: Store;
  files: OwnedFiles;
  /** Does something while nothing else is added or removed. */
  alone<Result>(task: () => Promise<Result>): Promise<Result>;
  /** Of the new collection; null: as the file calls it. */
  name: string | null;
}

/**
 * Makes a collection of a file that another Corral exported; nothing is parsed again. All of the file is checked before
 * anything of it is stored. While documents are stored the collection's name says so; a failure removes it again.
 * @throws CorralError FILE_NOT_FOUND, FILE_UNREADABLE (damaged, or not a collection), COLLECTION_EXISTS, DISK_FULL; the
 * signal's reason
 */
export async function* importCollection(
  path: string,
  options: ImportOptions,
  signal: AbortSignal,
): AsyncGenerator<TransferEvent, void> {
  const file = basename(path);
  try {
    await using handle = await open(path, "r");
    const status = await handle.stat();
    if (!status.isFile()) throw new CollectionFileError("it is not a file");
    const name = yield* check(handle, status.size, signal);
    yield* storeAll(handle, status.size, { ...options, name: options.name ?? name }, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof CollectionFileError) throw unreadableFile(file, error.reason);
    throw fileSystemError(file, error);
  }
}

/** Reads everything and stores nothing: the first half of the progress. @returns the collection's name */
async function* check(file: FileHandle, size: number, signal: AbortSignal): AsyncGenerator<TransferEvent, string> {
  const reader = new CollectionFileReader(file, size);
  const progress = new Progress(0, 2 * size);
  let name: string | null = null;
  for await (const found of contentOf(reader, () => Promise.resolve(null))) {
    signal.throwIfAborted();
    if ("name" in found) name = found.name;
    yield* progress.at(reader.at);
  }
  if (name === null) throw new CollectionFileError("it holds no collection");
  return name;
}

async function* storeAll(
  file: FileHandle,
  size: number,
  { store, files, alone, name }: ImportOptions & { name: string },
  signal: AbortSignal,
): AsyncGenerator<TransferEvent, void> {
  if (await store.collections.getByName(name)) {
    const message = `A collection named "${name}" exists already; choose another name.`;
    throw new CorralError("COLLECTION_EXISTS", message, { collection: name });
  }
  const { id: collectionId } = await store.collections.create(`${name} (importing)`);
  const reader = new CollectionFileReader(file, size);
  const progress = new Progress(size, 2 * size);
  /** Originals that lie under a temporary name. */
  const received = new Set<ReceivedFile>();
  const discard = async (original: ReceivedFile) => {
    received.delete(original);
    await files.discard(original);
  };
  const receive = async ({ name: given, sha256 }: CollectionDocument, record: ReadRecord) => {
    const original = await files.receive(safeName(given), record.pieces(), signal);
    received.add(original);
    if (original.sha256 !== sha256) throw new CollectionFileError("an original in it is damaged");
    return original;
  };

  let documents = 0;
  let withoutOriginal = 0;
  const add = async ({ document, content, vectors, original }: ImportedDocument) => {
    const { format, sha256, bytes } = document;
    if (await store.documents.findByHash(collectionId, sha256)) {
      if (original) await discard(original);
      return;
    }
    // Without its original a document names the place where that would lie.
    let kept = { path: files.pathOf(sha256, format), owned: true, sha256, bytes };
    if (original) {
      kept = await files.keep(original, format);
      received.delete(original);
    } else withoutOriginal++;
    const entry = { collectionId, name: safeName(document.name), format, file: kept };
    const { id } = await store.documents.createRead(entry, content);
    for (const ofModel of vectors) await store.vectors.addToDocument(id, ofModel);
    documents++;
  };

  try {
    for await (const found of contentOf(reader, receive)) {
      signal.throwIfAborted();
      if ("document" in found) await alone(() => add(found));
      yield* progress.at(reader.at);
    }
    signal.throwIfAborted();
    const collection: Collection = await store.collections.rename(collectionId, name);
    yield { type: "done", collection, documents, bytes: size, withoutOriginal };
  } catch (error) {
    for (const original of received) await files.discard(original);
    await alone(async () => {
      for (const { id } of await store.documents.list(collectionId)) {
        const unused = await store.documents.remove(id);
        if (unused?.owned) await files.remove(unused.path);
      }
      await store.collections.remove(collectionId);
    });
    throw error;
  }
}

/** Tells how far something is, not too often. */
class Progress {
  readonly #before: number;
  readonly #total: number;
  #toldAt = -Infinity;

  /** @param before bytes that are done already */
  constructor(before: number, total: number) {
    this.#before = before;
    this.#total = total;
  }

  *at(bytes: number): Generator<TransferEvent, void> {
    if (bytes - this.#toldAt < PROGRESS_BYTES) return;
    this.#toldAt = bytes;
    yield { type: "progress", done: this.#before + bytes, total: this.#total };
  }
}

/** A document as it came out of the file. */
interface ImportedDocument {
  document: CollectionDocument;
  content: DocumentContent;
  vectors: DocumentVectors[];
  original: ReceivedFile | null;
}

/** The collection's name, then its documents. @param receive takes a document's original file */
async function* contentOf(
  reader: CollectionFileReader,
  receive: (document: CollectionDocument, record: ReadRecord) => Promise<ReceivedFile | null>,
): AsyncGenerator<{ name: string } | ImportedDocument, void> {
  let expected = -1;
  let open: ImportedDocument | null = null;
  for await (const record of reader.records()) {
    const { header } = record;
    if (header.type === "collection") {
      if (expected >= 0) throw new CollectionFileError("it holds two collections");
      expected = header.documents;
      yield { name: header.name };
      continue;
    }
    if (expected < 0) throw new CollectionFileError("it does not begin with a collection");
    if (header.type === "document") {
      if (open) yield whole(open);
      if (expected-- === 0) throw new CollectionFileError("it holds more documents than it says");
      open = begin(header.document);
      continue;
    }
    if (!open) throw new CollectionFileError("it holds parts of no document");
    if (header.type === "original") open.original = await receive(open.document, record);
    else await addPart(open, record);
  }
  if (open) yield whole(open);
}

function begin(document: CollectionDocument): ImportedDocument {
  const { title, language, paged, note } = document;
  // What it claims to be has to be what a file of that name is, as with any other file.
  if (formatOf(safeName(document.name)) !== document.format)
    throw new CollectionFileError("the name of a document in it does not fit its format");
  const content: DocumentContent = { title, language, paged, note, pages: [], chunks: [] };
  return { document, content, vectors: [], original: null };
}

async function addPart({ document, content, vectors }: ImportedDocument, record: ReadRecord): Promise<void> {
  const { header } = record;
  switch (header.type) {
    case "pages":
      for (const page of await parsed(record, collectionPages)) content.pages.push(page);
      if (content.pages.length > document.pages)
        throw new CollectionFileError("a document has more pages than it says");
      if (content.pages.reduce((sum, { text }) => sum + text.length, 0) > readLimits.characters)
        throw new CollectionFileError("a document in it is too long");
      return;
    case "chunks":
      for (const chunk of await parsed(record, collectionChunks)) content.chunks.push(chunk);
      if (content.chunks.length > document.chunks)
        throw new CollectionFileError("a document has more passages than it says");
      // Parts of a paragraph overlap a little.
      if (content.chunks.reduce((sum, { text }) => sum + text.length, 0) > 2 * readLimits.characters)
        throw new CollectionFileError("a document in it is too long");
      return;
    case "vectors": {
      const { model, dimensions } = header;
      const entries = vectorsOf(await record.content(), dimensions);
      if (entries.length > document.chunks) throw new CollectionFileError("a document has more vectors than passages");
      vectors.push({ model, dimensions, entries });
      return;
    }
    // Taken where the order of records is watched.
    case "collection":
    case "document":
    case "original":
    case "end":
  }
}

/** @throws CollectionFileError where something of the document is missing, or points at what is not there */
function whole(imported: ImportedDocument): ImportedDocument {
  const { document, content } = imported;
  if (content.pages.length !== document.pages || content.chunks.length !== document.chunks)
    throw new CollectionFileError("a part of a document is missing");
  const lengths = new Map<number, number>();
  for (const { page, text, lines } of content.pages) {
    if (lengths.has(page)) throw new CollectionFileError("a document has a page twice");
    lengths.set(page, text.length);
    if (lines.some(({ start, end }) => start > end || end > text.length)) throw outside();
  }
  for (const { spans } of content.chunks)
    for (const { page, start, end } of spans)
      if (start < 0 || start > end || end > (lengths.get(page) ?? -1)) throw outside();
  return imported;
}

function outside(): CollectionFileError {
  return new CollectionFileError("a passage in it lies outside of its page");
}

async function parsed<Schema extends z.ZodType>(record: ReadRecord, schema: Schema): Promise<z.infer<Schema>> {
  let value: unknown;
  try {
    const json = await inflated(await record.content(), { maxOutputLength: LARGEST_PART });
    value = JSON.parse(json.toString("utf8"));
  } catch (error) {
    if (error instanceof CollectionFileError) throw error;
    throw new CollectionFileError("a part of it cannot be unpacked");
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new CollectionFileError("a part of it is not what it should be");
  return result.data;
}

function vectorsOf(content: Buffer, dimensions: number): DocumentVectors["entries"] {
  const row = 4 + 4 * dimensions;
  if (content.length % row !== 0) throw new CollectionFileError("a part of it is not what it should be");
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  return Array.from({ length: content.length / row }, (_, i) => {
    const vector = new Float32Array(dimensions);
    for (let j = 0; j < dimensions; j++) vector[j] = view.getFloat32(i * row + 4 + 4 * j, true);
    return { ordinal: view.getUint32(i * row, true), vector };
  });
}
