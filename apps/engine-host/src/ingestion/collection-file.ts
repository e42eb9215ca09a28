import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import { collectionDocument } from "./collection-records.ts";

/**
 * A collection as one file. After {@link MAGIC} come records: the length of a header (uint32, little endian), the header
 * (JSON), and as many bytes of content as the header says. Records come in this order: one `collection`; for each document
 * a `document`, the `original` file if it is there, then `pages`, `chunks` and `vectors` in any number of parts; one `end`
 * with the SHA-256 of all bytes before it. Content of `pages` and `chunks` is JSON, deflated; of `vectors` for each
 * vector the chunk's place (uint32) and the components (float32, all little endian); of `original` the file.
 */
export const MAGIC = Buffer.from("CORRAL COLLECTION 1\n");

/** Bytes of a header at most, and of the content of a record that is held in memory (all but originals). */
const LARGEST_HEADER = 2 ** 20;
const LARGEST_CONTENT = 64 * 2 ** 20;
/** Read at once from an original. */
const PIECE = 2 ** 20;

const bytes = z.number().int().min(0);
const part = { bytes: bytes.max(LARGEST_CONTENT) };
export const recordHeader = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("collection"),
    bytes: z.literal(0),
    name: z.string().trim().min(1).max(200),
    documents: z.number().int().min(0).max(10_000_000),
    exportedAt: z.string().max(40),
  }),
  z.object({ type: z.literal("document"), bytes: z.literal(0), document: collectionDocument }),
  z.object({ type: z.literal("pages"), ...part }),
  z.object({ type: z.literal("chunks"), ...part }),
  z.object({
    type: z.literal("vectors"),
    ...part,
    model: z.string().min(1).max(500),
    dimensions: z.number().int().min(1).max(65_536),
  }),
  z.object({ type: z.literal("original"), bytes }),
  z.object({ type: z.literal("end"), bytes: z.literal(0), sha256: z.string().length(64) }),
]);
export type RecordHeader = z.infer<typeof recordHeader>;

/** The file is not what this Corral writes, or it is damaged. `reason` completes "NAME can't be read: …". */
export class CollectionFileError extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.name = "CollectionFileError";
    this.reason = reason;
  }
}

/** Writes the records of a collection. */
export class CollectionFileWriter {
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #written = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** How many bytes were written. */
  get bytes(): number {
    return this.#written;
  }

  async begin(): Promise<void> {
    await this.#write(MAGIC);
  }

  /** @param content all of it, as long as the header says */
  async record(header: RecordHeader, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array> = []): Promise<void> {
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    await this.#write(Buffer.concat([length, json]));
    let left = header.bytes;
    for await (const piece of content) {
      left -= piece.length;
      if (left < 0) break;
      await this.#write(piece);
    }
    if (left !== 0) throw new CollectionFileError("a file changed while it was copied");
  }

  async end(): Promise<void> {
    await this.record({ type: "end", bytes: 0, sha256: this.#hash.copy().digest("hex") });
    await this.#file.sync();
  }

  async #write(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    await this.#file.writeFile(piece);
    this.#written += piece.length;
  }
}

/** A record that was read. Its content has to be taken before the next one is read. */
export interface ReadRecord {
  header: RecordHeader;
  /** All of it; not for originals. */
  content(): Promise<Buffer>;
  pieces(): AsyncGenerator<Uint8Array, void>;
}

/**
 * Reads the records of a file that comes from anywhere: each length is checked before it is believed.
 * @throws CollectionFileError
 */
export class CollectionFileReader {
  readonly #file: FileHandle;
  readonly #size: number;
  readonly #hash: Hash = createHash("sha256");
  #at = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** How far reading has come, bytes. */
  get at(): number {
    return this.#at;
  }

  async *records(): AsyncGenerator<ReadRecord, void> {
    if (this.#size < MAGIC.length || !(await this.#read(MAGIC.length)).equals(MAGIC))
      throw new CollectionFileError("it is not a collection that this version of Corral exported");
    for (;;) {
      const before = this.#hash.copy().digest("hex");
      const header = await this.#header();
      if (header.type === "end") {
        if (header.sha256 !== before) throw new CollectionFileError("it is damaged");
        if (this.#at !== this.#size) throw new CollectionFileError("something follows its end");
        return;
      }
      if (header.bytes > this.#size - this.#at) throw new CollectionFileError("its end is missing");
      const end = this.#at + header.bytes;
      yield {
        header,
        content: () => this.#read(header.bytes),
        pieces: () => this.#pieces(end),
      };
      // What was not taken is read all the same, as it counts for the hash.
      for await (const _ of this.#pieces(end)) continue;
    }
  }

  async #header(): Promise<RecordHeader> {
    if (this.#size - this.#at < 4) throw new CollectionFileError("its end is missing");
    const length = (await this.#read(4)).readUInt32LE();
    if (length > LARGEST_HEADER || length > this.#size - this.#at)
      throw new CollectionFileError("it is damaged, or its end is missing");
    const json = (await this.#read(length)).toString("utf8");
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      throw new CollectionFileError("it is damaged");
    }
    const parsed = recordHeader.safeParse(value);
    if (!parsed.success) throw new CollectionFileError("it holds something that this version of Corral does not know");
    return parsed.data;
  }

  async *#pieces(end: number): AsyncGenerator<Uint8Array, void> {
    while (this.#at < end) yield await this.#read(Math.min(PIECE, end - this.#at));
  }

  async #read(length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length);
    for (let read = 0; read < length;) {
      const { bytesRead } = await this.#file.read(buffer, read, length - read, this.#at + read);
      if (bytesRead === 0) throw new CollectionFileError("its end is missing");
      read += bytesRead;
    }
    this.#at += length;
    this.#hash.update(buffer);
    return buffer;
  }
}
