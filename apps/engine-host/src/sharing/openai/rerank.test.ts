import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveApi, type ServedApi } from "../testing/serve-api.ts";

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
});
afterAll(() => api[Symbol.asyncDispose]());

describe("rerank", () => {
  const asked = {
    model: "scripted-rank",
    query: "when does the gate close",
    documents: ["dogs on a lead", "the gate does close at six", { text: "the gate" }],
  };

  it("answers in the shape of Jina and Cohere, best first", async () => {
    const whole = (await (await api.post("/v1/rerank", asked)).json()) as { results: object[] };
    expect(whole).toMatchObject({ model: "scripted-rank", usage: { total_tokens: 27 } });
    expect(whole.results).toEqual([
      { index: 1, relevance_score: 0.8 },
      { index: 2, relevance_score: 0.4 },
      { index: 0, relevance_score: 0 },
    ]);
    const best = await (await api.post("/v1/rerank", { ...asked, top_n: 1, return_documents: true })).json();
    expect(best).toMatchObject({ results: [{ index: 1, document: { text: "the gate does close at six" } }] });
  });

  it("refuses a model that does something else, in words that say what", async () => {
    const answer = await api.post("/v1/rerank", { ...asked, model: "scripted" });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { param: "model", message: expect.stringContaining("/v1/chat/completions") as string },
    });
    expect((await api.post("/v1/rerank", { ...asked, model: "none" })).status).toBe(404);
  });
});
