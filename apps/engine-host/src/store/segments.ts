import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";

/** Some chunks whose postings lie together. A chunk's number is its place in the arrays. */
export interface Segment {
  id: number;
  /** Chunk keys, rising. */
  keys: Float64Array;
  /** Document keys. */
  documents: Uint32Array;
  /** Terms of each chunk, repetitions counted. */
  lengths: Uint32Array;
  /** Chunks that are gone, a bit each; null: none. */
  deleted: Uint8Array | null;
  deletedChunks: number;
}

/** What lies in a segment, without its content. */
export interface SegmentSize {
  id: number;
  chunks: number;
  deleted: number;
}

export function isDeleted(bits: Uint8Array | null, chunk: number): boolean {
  return bits !== null && (bits[chunk >> 3]! & (1 << (chunk & 7))) !== 0;
}

/** The segments of the index as the running transaction sees them. What was loaded is kept as long as it is valid. */
export interface Segments {
  /** In the order of chunk keys. */
  list(): SegmentSize[];
  load(size: Pick<SegmentSize, "id" | "deleted">): Segment;
  /** The segment that holds a chunk; null: none does. */
  holding(chunkKey: number): Segment | null;
  /** Lists a segment; `id` is one that was reserved. Its postings are written by the caller. */
  add(content: Pick<Segment, "keys" | "documents" | "lengths">, id?: number): number;
  /** Marks chunks (by their numbers) as gone. @returns how many terms went with them */
  delete(segment: Segment, chunks: number[]): number;
  /** An id for a segment that is listed later; until then its postings are garbage. */
  reserve(): number;
  /** Forgets what was loaded, after a transaction that was undone: ids may then stand for other chunks. */
  forget(): void;
  /** Takes segments off the list; their postings become garbage. */
  drop(ids: number[]): void;
}

export function segments(database: DatabaseSync): Segments {
  const list = database.prepare(
    `SELECT id, postings_segments.chunks, coalesce(postings_deleted.chunks, 0) AS deleted FROM postings_segments
     LEFT JOIN postings_deleted ON segment = id ORDER BY first_key`,
  );
  const content = database.prepare("SELECT keys, documents, lengths FROM postings_segments WHERE id = ?");
  const deletedBits = database.prepare("SELECT bits FROM postings_deleted WHERE segment = ?");
  const holder = database.prepare(
    `SELECT id, last_key AS lastKey, postings_segments.chunks, coalesce(postings_deleted.chunks, 0) AS deleted
     FROM postings_segments LEFT JOIN postings_deleted ON segment = id
     WHERE first_key <= ? ORDER BY first_key DESC LIMIT 1`,
  );
  const insert = database.prepare(
    `INSERT INTO postings_segments (id, first_key, last_key, chunks, keys, documents, lengths)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const setDeleted = database.prepare(
    `INSERT INTO postings_deleted (segment, chunks, bits) VALUES (?1, ?2, ?3)
     ON CONFLICT (segment) DO UPDATE SET chunks = ?2, bits = ?3`,
  );
  const forgetDeleted = database.prepare("DELETE FROM postings_deleted WHERE segment = ?");
  const remove = database.prepare("DELETE FROM postings_segments WHERE id = ?");
  const addGarbage = database.prepare("INSERT OR IGNORE INTO postings_garbage VALUES (?)");
  const forgetGarbage = database.prepare("DELETE FROM postings_garbage WHERE segment = ?");
  const loaded = new Map<number, Segment>();

  function load({ id, deleted }: Pick<SegmentSize, "id" | "deleted">): Segment {
    let segment = loaded.get(id);
    if (!segment) {
      const found = row<Record<"keys" | "documents" | "lengths", Uint8Array>>(content, id)!;
      segment = {
        id,
        keys: new Float64Array(found.keys.slice().buffer),
        documents: new Uint32Array(found.documents.slice().buffer),
        lengths: new Uint32Array(found.lengths.slice().buffer),
        deleted: null,
        deletedChunks: 0,
      };
      loaded.set(id, segment);
    }
    // Bits are only ever set, so the same number of them is the same set.
    if (segment.deletedChunks !== deleted) {
      segment.deleted = deleted === 0 ? null : row<{ bits: Uint8Array }>(deletedBits, id)!.bits;
      segment.deletedChunks = deleted;
    }
    return segment;
  }

  return {
    list() {
      const found = rows<SegmentSize>(list);
      if (loaded.size > found.length) {
        const listed = new Set(found.map(({ id }) => id));
        for (const id of loaded.keys()) if (!listed.has(id)) loaded.delete(id);
      }
      return found;
    },
    load,
    holding(chunkKey) {
      const found = row<SegmentSize & { lastKey: number }>(holder, chunkKey);
      return found && found.lastKey >= chunkKey ? load(found) : null;
    },
    add({ keys, documents, lengths }, id) {
      const bytes = (array: Float64Array | Uint32Array) =>
        new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      const { lastInsertRowid } = insert.run(
        id ?? null,
        keys[0]!,
        keys.at(-1)!,
        keys.length,
        bytes(keys),
        bytes(documents),
        bytes(lengths),
      );
      if (id !== undefined) forgetGarbage.run(id);
      return Number(lastInsertRowid);
    },
    delete(segment, chunks) {
      const bits = segment.deleted?.slice() ?? new Uint8Array(Math.ceil(segment.keys.length / 8));
      let deletedChunks = segment.deletedChunks;
      let terms = 0;
      for (const chunk of chunks) {
        if (isDeleted(bits, chunk)) continue;
        bits[chunk >> 3]! |= 1 << (chunk & 7);
        deletedChunks++;
        terms += segment.lengths[chunk]!;
      }
      setDeleted.run(segment.id, deletedChunks, bits);
      // Read again when it is used next: this transaction may be undone.
      loaded.delete(segment.id);
      return terms;
    },
    reserve() {
      const none = new Uint8Array();
      const id = Number(insert.run(null, -1, -1, 0, none, none, none).lastInsertRowid);
      remove.run(id);
      addGarbage.run(id);
      return id;
    },
    forget: () => loaded.clear(),
    drop(ids) {
      for (const id of ids) {
        forgetDeleted.run(id);
        remove.run(id);
        addGarbage.run(id);
        loaded.delete(id);
      }
    },
  };
}
