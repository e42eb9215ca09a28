import type { EvaluationEvent, EvaluationRequest, EvaluationResult } from "@corral/protocol";
import { expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { createEvaluationStore } from "./evaluation-store.ts";

const result: EvaluationResult = {
  figures: { ndcg10: 50, recall5: 60, recall100: 70, p50Ms: 1, p95Ms: 2, queries: 2 },
  legs: [{ legs: ["lexical"], queries: 2 }],
  notes: [],
  worst: [],
};
const queries = new File(["q"], "q.jsonl");
const judgements = new File(["r"], "r.tsv");

/** A host whose evaluation waits for the test between the events. */
function start(events: (EvaluationEvent | Error)[]) {
  const asked: EvaluationRequest[] = [];
  const stopped = vi.fn();
  const steps: (() => void)[] = [];
  const evaluate = (request: EvaluationRequest, { signal }: { signal: AbortSignal }) => {
    asked.push(request);
    signal.addEventListener("abort", stopped);
    return Promise.resolve(
      (async function* () {
        for (const event of events) {
          await new Promise<void>((resolve) => steps.push(resolve));
          if (event instanceof Error) throw event;
          yield event;
        }
      })(),
    );
  };
  const client = { library: { evaluate } };
  const store = createEvaluationStore({ ...sampleConnection(false), client } as unknown as Connection);
  const step = async () => {
    await vi.waitFor(() => expect(steps).toHaveLength(1));
    steps.shift()!();
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { store, asked, stopped, step };
}

test("a run sends both files, tells how far it is, and stays with its result", async () => {
  const { store, asked, step } = start([
    { type: "warming" },
    { type: "progress", done: 1, total: 2 },
    { type: "done", result },
  ]);
  const running = store.getState().run("c1", queries, judgements);
  await step();
  expect(asked).toEqual([
    {
      collectionId: "c1",
      queries: { name: "q.jsonl", content: "q" },
      judgements: { name: "r.tsv", content: "r" },
    },
  ]);
  expect(store.getState().runs).toMatchObject([
    { collectionId: "c1", queries: "q.jsonl", progress: null, result: null },
  ]);
  await step();
  expect(store.getState().runs[0]!.progress).toEqual({ done: 1, total: 2 });
  // One at a time.
  await store.getState().run("c2", queries, judgements);
  expect(asked).toHaveLength(1);
  await step();
  await running;
  expect(store.getState().runs).toMatchObject([{ collectionId: "c1", result }]);
  store.getState().remove(store.getState().runs[0]!.id);
  expect(store.getState().runs).toEqual([]);
});

test("a run that is stopped ends on the host and is forgotten; finished ones stay", async () => {
  const { store, stopped, step } = start([{ type: "warming" }, { type: "done", result }]);
  const first = store.getState().run("c1", queries, judgements);
  await step();
  await step();
  await first;
  void store.getState().run("c1", queries, judgements);
  await step();
  store.getState().cancel();
  expect(stopped).toHaveBeenCalledOnce();
  expect(store.getState().runs).toMatchObject([{ result }]);
});

test("a failure stands where the result would", async () => {
  const { store, step } = start([new Error("broken")]);
  const running = store.getState().run("c1", queries, judgements);
  await step();
  await running;
  expect(store.getState().runs[0]).toMatchObject({ result: null, error: { message: expect.any(String) as string } });
});
