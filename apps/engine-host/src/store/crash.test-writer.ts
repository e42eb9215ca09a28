/** A process for crash.test.ts: saves documents without end and prints each id once it is acknowledged. */
import { openStore } from "./open-store.ts";

const [directory, run] = process.argv.slice(2) as [string, string];
const store = await openStore(directory);
const collection = (await store.collections.getByName("c")) ?? (await store.collections.create("c"));
for (let i = 0; ; i++) {
  const name = `${run}-${i}`;
  const { id } = await store.documents.create({
    collectionId: collection.id,
    name,
    format: "text",
    file: { path: name, owned: false, sha256: name, bytes: 1 },
  });
  const texts = Array.from({ length: 12 }, (_, j) => `document ${name} part${j} ${"of many words ".repeat(40)}`);
  await store.documents.saveContent(id, {
    title: name,
    language: "en",
    paged: true,
    pages: texts.map((text, j) => ({ page: j + 1, text, width: null, height: null, lines: [] })),
    chunks: texts.map((text, j) => ({
      text,
      headingPath: [],
      spans: [{ page: j + 1, start: 0, end: text.length }],
      tokenEstimate: 100,
    })),
  });
  process.stdout.write(`${id}\n`);
}
