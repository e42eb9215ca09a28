import type { EvaluationEvent } from "@corral/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRetrieval } from "./create-retrieval.ts";
import { evaluate } from "./evaluate.ts";
import { openSearchRoom, type SearchRoom } from "./testing/search-room.ts";

let room: SearchRoom;
beforeEach(async () => void (room = await openSearchRoom()));
afterEach(() => room[Symbol.asyncDispose]());

const queries = (...texts: [string, string][]) => ({
  name: "q.jsonl",
  content: texts.map(([id, text]) => JSON.stringify({ _id: id, text })).join("\n"),
});
const judgements = (...lines: string[]) => ({
  name: "r.tsv",
  content: ["query-id corpus-id score", ...lines].map((line) => line.replaceAll(" ", "\t")).join("\n"),
});

test("figures, legs and the worst questions, document ids being file names without ending", async () => {
  await room.add("gate.pdf", "The gate closes at nine.", "In winter the gate closes at six.");
  await room.add("rope.txt", "The rope is made of hemp.");
  await room.add("boat.md", "The gate of the boat shed is red.");
  using retrieval = createRetrieval({ store: room.store });
  const request = {
    collectionId: room.collectionId,
    queries: queries(["q1", "rope hemp"], ["q2", "red gate closes winter"], ["q3", "never judged"], ["q4", "anchor"]),
    judgements: judgements("q1 rope 1", "q2 boat 1", "q4 rope 1"),
  };
  const events: EvaluationEvent[] = [];
  for await (const event of evaluate(retrieval, request, new AbortController().signal)) events.push(event);

  expect(events.filter(({ type }) => type === "progress")).toEqual(
    [0, 1, 2, 3].map((done) => ({ type: "progress", done, total: 3 })),
  );
  const last = events.at(-1)!;
  if (last.type !== "done") throw new Error("no result");
  // 1, 1 / log2(3) and 0.
  expect(last.result.figures).toMatchObject({ ndcg10: 54.36, recall5: 66.67, recall100: 66.67, queries: 3 });
  expect(last.result.figures.p95Ms).toBeGreaterThan(0);
  expect(last.result.legs).toEqual([{ legs: ["lexical"], queries: 3 }]);
  expect(last.result.notes).toEqual([{ note: { type: "no-embedding-model" }, queries: 3 }]);
  expect(last.result.worst).toEqual([
    { id: "q4", text: "anchor", ndcg10: 0, relevant: [{ document: "rope", place: null }], found: [] },
    {
      id: "q2",
      text: "red gate closes winter",
      ndcg10: 63.09,
      relevant: [{ document: "boat", place: 2 }],
      found: ["gate", "boat"],
    },
  ]);
});

test("it stops when it is told to", async () => {
  await room.add("gate.txt", "The gate closes at nine.");
  using retrieval = createRetrieval({ store: room.store });
  const stop = new AbortController();
  const request = {
    collectionId: room.collectionId,
    queries: queries(["q1", "gate"], ["q2", "closes"]),
    judgements: judgements("q1 gate 1", "q2 gate 1"),
  };
  const run = async () => {
    for await (const event of evaluate(retrieval, request, stop.signal)) if (event.type === "progress") stop.abort();
  };
  await expect(run()).rejects.toMatchObject({ name: "AbortError" });
});

test("files that do not belong together are refused before anything is asked", async () => {
  using retrieval = createRetrieval({ store: room.store });
  const request = {
    collectionId: room.collectionId,
    queries: queries(["q1", "gate"]),
    judgements: judgements("q2 gate 1"),
  };
  await expect(evaluate(retrieval, request, new AbortController().signal).next()).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});
