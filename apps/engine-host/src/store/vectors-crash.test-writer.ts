/**
 * A process for vectors-crash.test.ts: saves documents, embeds what lacks a vector and removes a document now and then,
 * without end; prints each document's id once all its vectors are acknowledged.
 */
import { openStore } from "./open-store.ts";

const [directory, run] = process.argv.slice(2) as [string, string];
const store = await openStore(directory, () => {});
const collection = (await store.collections.getByName("c")) ?? (await store.collections.create("c"));

/** A vector that a chunk's text stands for. */
function vectorOf(text: string): Float32Array {
  let state = 7;
  for (const character of text) state = (Math.imul(state, 31) + character.charCodeAt(0)) >>> 0;
  const vector = Float32Array.from({ length: 24 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296 - 0.5;
  });
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

async function embedAll(): Promise<void> {
  for (let after = 0; ;) {
    const missing = await store.vectors.missing("m", after, 300);
    if (missing.length === 0) return;
    after = missing.at(-1)!.key;
    await store.vectors.add(
      "m",
      missing.map(({ key, text }) => ({ key, vector: vectorOf(text) })),
    );
  }
}

await embedAll();
for (let i = 0; ; i++) {
  const name = `${run}-${i}`;
  const file = { path: name, owned: false, sha256: name, bytes: 1 };
  const { id } = await store.documents.create({ collectionId: collection.id, name, format: "text", file });
  await store.documents.saveContent(id, {
    title: name,
    language: null,
    paged: false,
    pages: [],
    chunks: Array.from({ length: 700 }, (_, j) => ({
      text: `${name} part${j}`,
      headingPath: [],
      spans: [],
      tokenEstimate: 3,
    })),
  });
  await embedAll();
  process.stdout.write(`${id}\n`);
  if (i % 3 !== 2) continue;
  const [oldest] = await store.documents.list();
  process.stdout.write(`-${oldest!.id}\n`);
  await store.documents.remove(oldest!.id);
}
