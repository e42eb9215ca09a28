import { expect, test } from "vitest";
import { sampleServing } from "../../gallery/sample-serving.ts";
import { changesOf, draftOf } from "./serving-draft.ts";

test("what is not touched is not changed", () => {
  expect(changesOf(draftOf(sampleServing), sampleServing)).toEqual({});
});

test("only what was changed is sent; empty means no limit, none or automatic", () => {
  const draft = draftOf({ ...sampleServing, parallelReplies: 2 });
  const changed = {
    ...draft,
    keepAlive: "never",
    parallelReplies: "",
    rerankModel: "bge-reranker",
    others: { ...draft.others, concurrent: "", tokensPerDay: "200000", weight: "0.5" },
  };
  expect(changesOf(changed, { ...sampleServing, parallelReplies: 2 })).toEqual({
    keepAliveMs: null,
    parallelReplies: null,
    rerankModel: "bge-reranker",
    otherLimits: { ...sampleServing.otherLimits, concurrent: null, tokensPerDay: 200_000, weight: 0.5 },
  });
});

test.each([
  { queueLimit: "many" },
  { queueLimit: "0" },
  { owner: { ...draftOf(sampleServing).owner, tokensPerMinute: "1.5" } },
  { others: { ...draftOf(sampleServing).others, weight: "0" } },
  { others: { ...draftOf(sampleServing).others, queued: "" } },
])("a field that is no number is not sent: %j", (wrong) => {
  expect(changesOf({ ...draftOf(sampleServing), ...wrong }, sampleServing)).toBeNull();
});
