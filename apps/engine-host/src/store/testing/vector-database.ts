import { mkdtempSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkDatabase } from "../check.ts";
import { collectionTable } from "../collections.ts";
import { inTransaction, openDatabase } from "../database.ts";
import { documentTable } from "../documents.ts";
import { indexWriter } from "../index-writer.ts";
import { migrate } from "../migrate.ts";
import type { VectorTable } from "../store.ts";
import type { Synchronous } from "../thread-messages.ts";
import { vectorTidier } from "../tidy-vectors.ts";
import { vectorWriter } from "../vector-writer.ts";
import { vectorTable } from "../vectors.ts";

/** A database of its own with what the vectors need, on this thread. */
export interface VectorDatabase extends Disposable {
  readonly database: DatabaseSync;
  readonly vectors: Synchronous<VectorTable>;
  readonly collections: ReturnType<typeof collectionTable>;
  readonly documents: ReturnType<typeof documentTable>;
  /** Stores a document of `chunks` chunks and answers its id. */
  addDocument(collectionId: string, name: string, chunks: number): string;
  /** Gives every chunk without a vector the next of `vectors`. @returns the chunks' ids, in the order of the vectors */
  embed(model: string, next: () => Float32Array): { key: number; vector: Float32Array }[];
  write<Result>(work: () => Result): Result;
  /** Tidies until there is nothing left to do. @returns how many steps that took */
  tidy(): number;
  /** What the database check says. */
  check(): string;
}

export function openVectorDatabase(residentCodeBytes?: number): VectorDatabase {
  const directory = mkdtempSync(join(tmpdir(), "corral-vectors-"));
  const database = openDatabase(directory, "write");
  migrate(database, directory);
  const index = indexWriter(database);
  const writer = vectorWriter(database);
  const vectors = vectorTable(database, writer, residentCodeBytes);
  const tidier = vectorTidier(database, writer, residentCodeBytes);
  const collections = collectionTable(database, index);
  const documents = documentTable(database, index);
  const write = <Result>(work: () => Result) => inTransaction(database, "write", work);

  return {
    database,
    vectors,
    collections,
    documents,
    write,
    addDocument: (collectionId, name, count) =>
      write(() => {
        const file = { path: name, owned: false, sha256: name, bytes: 1 };
        const { id } = documents.create({ collectionId, name, format: "text", file });
        const chunks = Array.from({ length: count }, (_, i) => ({
          text: `part ${i}`,
          headingPath: [],
          spans: [],
          tokenEstimate: 2,
        }));
        documents.saveContent(id, { title: name, language: null, paged: false, pages: [], chunks });
        return id;
      }),
    embed(model, next) {
      const added = [];
      for (let after = 0; ;) {
        const missing = vectors.missing(model, after, 1000);
        if (missing.length === 0) return added;
        after = missing.at(-1)!.key;
        const entries = missing.map(({ key }) => ({ key, vector: next() }));
        write(() => vectors.add(model, entries));
        added.push(...entries);
      }
    },
    tidy() {
      let steps = 0;
      while (write(() => tidier.step())) steps++;
      return steps;
    },
    check: () => checkDatabase(database).integrity,
    [Symbol.dispose]() {
      database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Random vectors of unit length around some topics, as embeddings lie; the same ones for each seed. */
export function topicVectors(dimensions: number, seed: number, topics = 40): () => Float32Array {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const centres = Array.from({ length: topics }, () => Float32Array.from({ length: dimensions }, normal));
  return () => {
    const centre = centres[Math.floor(uniform() * topics)]!;
    return unit(centre.map((value) => value + 0.8 * normal()));
  };
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
