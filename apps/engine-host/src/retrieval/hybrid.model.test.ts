import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddingState } from "@corral/protocol";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeTinyBert } from "../engines/tiny-bert.test-writer.ts";
import { type Host, startHost } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "corral-hybrid-"));
const resourcesDirectory = join(import.meta.dirname, "../../../../resources");
let host: Host;

const start = () =>
  startHost({ dataDirectory: join(folder, "data"), resourcesDirectory, shell: "headless", stderrLevel: null });

beforeAll(async () => {
  await writeTinyBert(join(folder, "embedder.gguf"), { name: "tiny embedder" });
  await writeTinyBert(join(folder, "other.gguf"), { name: "tiny embedder with more", dimensions: 128 });
  await writeTinyBert(join(folder, "ranker.gguf"), { pooling: "rank", name: "tiny ranker" });
  host = await start();
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function reaches(isWanted: (state: EmbeddingState) => boolean): Promise<EmbeddingState> {
  const stop = new AbortController();
  for await (const state of await host.client.library.embedding(undefined, { signal: stop.signal })) {
    if (!isWanted(state)) continue;
    stop.abort();
    return state;
  }
  throw new Error("The stream ended.");
}

const isReady = (state: EmbeddingState) =>
  state.state === "ready" && state.chunks > 0 && state.embedded === state.chunks && state.answering === state.model;

const search = (query: string) =>
  host.client.library.search({ query, sources: { collectionIds: [], documentIds: [] }, limit: 5 });

it("documents are embedded by a real model, found by words and by meaning, and read again by another", async () => {
  const { client } = host;
  const { id: collectionId } = await client.library.createCollection({ name: "c" });
  const texts = {
    "gate.txt": "The north gate closes at half past six in winter.",
    "fruit.txt": "Bananas and oranges come from far away by ship.",
    "boat.txt": "The ferry leaves every two hours from the old pier.",
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  await client.library.addPaths({ collectionId, paths: Object.keys(texts).map((name) => join(folder, name)) });
  const sources = { collectionIds: [collectionId], documentIds: [] };
  const ask = (query: string) => client.library.search({ query, sources, limit: 5 });

  const off = await reaches(({ chunks }) => chunks === 3);
  expect(off).toMatchObject({ state: "off", model: null, embedded: 0 });
  expect(await ask("winter gate")).toMatchObject({ legs: ["lexical"], notes: [{ type: "no-embedding-model" }] });

  await client.models.add({ path: join(folder, "embedder.gguf") });
  const ready = await reaches(isReady);
  expect(ready).toMatchObject({ embedded: 3, failed: 0, index: { mode: "int8", dimensions: 64 } });
  const hybrid = await ask("when does the north gate close in winter");
  expect(hybrid).toMatchObject({ legs: ["lexical", "dense"], notes: [] });
  expect(hybrid.hits[0]).toMatchObject({ document: "gate.txt", legs: { lexical: { rank: 1 }, dense: { rank: 1 } } });
  expect(hybrid.hits).toHaveLength(3);

  await client.models.add({ path: join(folder, "ranker.gguf") });
  let ranked = await ask("north gate in winter");
  // The first time it may still be loading.
  for (let i = 0; i < 50 && !ranked.legs.includes("rerank"); i++) ranked = await ask("north gate in winter");
  expect(ranked.legs).toEqual(["lexical", "dense", "rerank"]);
  expect(ranked.hits.every(({ legs }) => legs.rerank !== null)).toBe(true);
});

it("after a restart nothing is embedded again, and another model takes over when it is chosen", async () => {
  await host[Symbol.asyncDispose]();
  host = await start();
  expect(await reaches(isReady)).toMatchObject({ embedded: 3 });
  const { id } = await host.client.models.add({ path: join(folder, "other.gguf") });
  await host.client.models.configure({ embeddingModel: id });
  expect(await reaches((state) => isReady(state) && state.model === id)).toMatchObject({
    answering: id,
    index: { dimensions: 128 },
  });
  const [collection] = await host.client.library.collections();
  const { vectorBytes } = await host.client.library.storage({ collectionId: collection!.id });
  expect(vectorBytes).toBeGreaterThan(0);
  expect(await search("gate")).toMatchObject({ hits: [] });
});
