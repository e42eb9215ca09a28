import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import type { Collection, DocumentSummary, TransferEvent } from "@corral/protocol";
import type { DocumentContent, DocumentVectors, Store } from "../store/store.ts";
import { CollectionFileWriter } from "./collection-file.ts";
import { fileSystemError } from "./file-errors.ts";
import { hashFile } from "./inspect-file.ts";

/** JSON of a part before it is deflated, about: little enough that nobody waits while it is made. Characters. */
const PART_CHARACTERS = 2 ** 20;
/** Vectors of a part. */
const PART_VECTORS = 1024;
/** Read of an original at once. */
const PIECE_BYTES = 2 ** 20;

const deflated = promisify(deflate);

export interface ExportOptions {
  /** Put the original files in, where they can still be read and are what was read. */
  originals: boolean;
  vectors: boolean;
}

/**
 * Writes a collection's ready documents to a file, beside its name until it is whole. Documents that are removed meanwhile
 * are left out.
 * @throws CorralError DATA_DIRECTORY_NOT_WRITABLE and others of the file system; the signal's reason. Nothing is left then.
 */
export async function* exportCollection(
  store: Store,
  collection: Collection,
  path: string,
  { originals, vectors }: ExportOptions,
  signal: AbortSignal,
): AsyncGenerator<TransferEvent, void> {
  const documents = (await store.documents.list(collection.id)).filter(({ state }) => state === "ready");
  const total = documents.length;
  const unfinished = `${path}.part`;
  try {
    let size: number;
    let withoutOriginal = 0;
    {
      await using file = await open(unfinished, "wx", 0o600);
      const writer = new CollectionFileWriter(file);
      await writer.begin();
      const exportedAt = new Date().toISOString();
      await writer.record({ type: "collection", bytes: 0, name: collection.name, documents: total, exportedAt });
      for (const [done, document] of documents.entries()) {
        signal.throwIfAborted();
        yield { type: "progress", done, total };
        const isWhole = await writeDocument(store, writer, document, { originals, vectors }, signal);
        if (originals && !isWhole) withoutOriginal++;
      }
      await writer.end();
      size = writer.bytes;
    }
    signal.throwIfAborted();
    await rename(unfinished, path);
    yield { type: "done", collection, documents: total, bytes: size, withoutOriginal };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fileSystemError(basename(path), error);
  } finally {
    // Gone already where it was renamed; where another export writes it, that one goes on under its own open file.
    await rm(unfinished, { force: true });
  }
}

/** @returns whether the original is in the file */
async function writeDocument(
  store: Store,
  writer: CollectionFileWriter,
  document: DocumentSummary,
  options: ExportOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const [content, file] = await Promise.all([store.documents.content(document.id), store.documents.file(document.id)]);
  if (!content || !file) return true;
  const { name, format } = document;
  const { title, language, paged, note = null, pages, chunks } = content;
  const { sha256, bytes } = file;
  await writer.record({
    type: "document",
    bytes: 0,
    document: {
      ...{ name, format, title, language, paged, sha256, bytes, note },
      ...{ pages: pages.length, chunks: chunks.length },
    },
  });
  const hasOriginal = options.originals && (await isOriginal(file, signal));
  if (hasOriginal) {
    const content = createReadStream(file.path, { signal, highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>;
    await writer.record({ type: "original", bytes }, content);
  }
  for (const part of parts(pages)) await writeJson(writer, "pages", part);
  for (const part of parts(chunks)) await writeJson(writer, "chunks", part);
  if (options.vectors)
    for (const ofModel of await store.vectors.ofDocument(document.id)) await writeVectors(writer, ofModel);
  return hasOriginal;
}

async function isOriginal(
  { path, bytes, sha256 }: { path: string; bytes: number; sha256: string },
  signal: AbortSignal,
) {
  try {
    return (await stat(path)).size === bytes && (await hashFile(path, signal)) === sha256;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

/** Stretches of a list whose JSON is about as long as a part may be. */
function* parts<Item extends DocumentContent["pages"][number] | DocumentContent["chunks"][number]>(
  items: Item[],
): Generator<Item[]> {
  let part: Item[] = [];
  let characters = 0;
  for (const item of items) {
    part.push(item);
    characters += item.text.length + 100 * ("lines" in item ? item.lines.length : 1);
    if (characters < PART_CHARACTERS) continue;
    yield part;
    part = [];
    characters = 0;
  }
  if (part.length > 0) yield part;
}

async function writeJson(writer: CollectionFileWriter, type: "pages" | "chunks", items: unknown[]): Promise<void> {
  const content = await deflated(JSON.stringify(items));
  await writer.record({ type, bytes: content.length }, [content]);
}

async function writeVectors(writer: CollectionFileWriter, { model, dimensions, entries }: DocumentVectors) {
  const row = 4 + 4 * dimensions;
  for (let at = 0; at < entries.length; at += PART_VECTORS) {
    const some = entries.slice(at, at + PART_VECTORS);
    const content = new DataView(new ArrayBuffer(row * some.length));
    for (const [i, { ordinal, vector }] of some.entries()) {
      content.setUint32(i * row, ordinal, true);
      for (let j = 0; j < dimensions; j++) content.setFloat32(i * row + 4 + 4 * j, vector[j]!, true);
    }
    const bytes = new Uint8Array(content.buffer);
    await writer.record({ type: "vectors", bytes: bytes.length, model, dimensions }, [bytes]);
  }
}
