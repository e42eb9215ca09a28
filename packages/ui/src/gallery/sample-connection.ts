import type { CorralClient, LibraryEvent, ModelsActivity, SearchHit } from "@corral/protocol";
import type { Connection } from "../connection/connection.ts";
import {
  sampleCitation,
  sampleCollections,
  sampleDocuments,
  sampleFolders,
  samplePage,
  sampleStorage,
} from "./sample-library.ts";
import { sampleHardware, sampleModels, samplePlan } from "./sample-models.ts";
import { sampleHardwareSample, sampleMatrix } from "./sample-planning.ts";
import { sampleActivity, sampleBench, sampleEmbedding, sampleServing } from "./sample-serving.ts";
import { sampleServers, sampleTools } from "./sample-tools.ts";

/** A connection that answers from samples; what a screen asks beyond that fails as a lost link would. */
export function sampleConnection(empty: boolean): Connection {
  const hit: SearchHit = {
    ...sampleCitation,
    collectionId: "c1",
    headingPath: ["Working time and leave", "Notice"],
    text: samplePage.text,
    score: 7.31,
    legs: {
      lexical: { rank: 1, score: 7.31 },
      dense: { rank: 2, score: 0.812 },
      rerank: { rank: 1, score: 0.974 },
    },
  };
  const snapshot: LibraryEvent = {
    type: "snapshot",
    collections: empty ? [] : sampleCollections,
    documents: empty ? [] : sampleDocuments,
    folders: empty ? [] : sampleFolders,
  };
  const client = {
    library: {
      watch: () => once(snapshot),
      page: ({ page }: { page: number }) =>
        Promise.resolve({ ...samplePage, page, boxes: page === 3 ? samplePage.boxes : [] }),
      pageImage: drawnPage,
      storage: () => Promise.resolve(sampleStorage),
      search: () =>
        Promise.resolve({
          hits: [
            hit,
            { ...hit, chunkId: "d1.9", legs: { lexical: null, dense: { rank: 1, score: 0.83 }, rerank: null } },
          ],
          legs: ["lexical", "dense", "rerank"],
          notes: [{ type: "rerank-out-of-time", ranked: 20, wanted: 40 }],
          tookMs: 4.2,
        }),
      embedding: () => once(sampleEmbedding),
      pauseEmbedding: ({ paused }: { paused: boolean }) =>
        Promise.resolve({ ...sampleEmbedding, state: paused ? "paused" : "embedding" }),
    },
    models: {
      activity: everySecond,
      settings: () => Promise.resolve(sampleServing),
      configure: (changes: object) => Promise.resolve({ ...sampleServing, ...changes }),
      watch: () => once(empty ? [] : sampleModels),
      plan: () => Promise.resolve(samplePlan),
      planFor: () => Promise.resolve(samplePlan),
      matrix: () => Promise.resolve(sampleMatrix),
    },
    system: { access: () => Promise.resolve({ address: "http://127.0.0.1:7410", key: "sample-key" }) },
    bench: { reports: () => Promise.resolve(empty ? [] : [sampleBench]) },
    hardware: { snapshot: () => Promise.resolve(sampleHardware), watch: () => once(sampleHardwareSample) },
    conversations: { watch: () => once({ type: "removed", conversationId: "" }), list: () => Promise.resolve([]) },
    chat: { decide: () => Promise.resolve() },
    tools: {
      list: () => Promise.resolve(sampleTools),
      watchServers: () => once(empty ? [] : sampleServers),
    },
  } as unknown as CorralClient;
  return {
    client,
    files: { kind: "upload", send: () => Promise.reject(new Error("The gallery keeps no files.")) },
    state: () => ({
      kind: "ready",
      host: {
        protocolVersion: 1,
        appVersion: "0.1.0",
        shell: "headless",
        dataDirectory: "/data",
        supportedFileTypes: [".pdf", ".docx", ".html", ".md", ".txt"],
        uploadLimitBytes: 1e9,
      },
    }),
    subscribe: () => () => undefined,
    whileReady: (work) => {
      const stop = new AbortController();
      void work(stop.signal);
      return () => stop.abort();
    },
    retryNow: () => undefined,
    enterKey: () => undefined,
    close: () => undefined,
  };
}

/** One item, then silence, as a watch does. */
function once<Item>(item: Item): Promise<AsyncIterable<Item>> {
  return Promise.resolve(
    (async function* () {
      yield item;
      await new Promise(() => undefined);
    })(),
  );
}

/** What the models do, told every second. */
function everySecond(): Promise<AsyncIterable<ModelsActivity>> {
  return Promise.resolve(
    (async function* () {
      for (let second = 0; ; second++) {
        yield sampleActivity(second);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    })(),
  );
}

/** A page as the host would draw it. */
function drawnPage(): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = samplePage.width! * 2;
  canvas.height = samplePage.height! * 2;
  const context = canvas.getContext("2d")!;
  context.scale(2, 2);
  context.fillStyle = "white";
  context.fillRect(0, 0, samplePage.width!, samplePage.height!);
  context.fillStyle = "black";
  context.font = "12px serif";
  samplePage.text.split(/(?<=\.)\s|\n/).forEach((line, at) => context.fillText(line, 72, 239 + at * 18));
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob!), "image/png"));
}
