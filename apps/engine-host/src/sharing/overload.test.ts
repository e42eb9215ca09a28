import { afterAll, beforeAll, expect, it } from "vitest";
import { TestModels } from "../models/testing/test-models.ts";
import { ScriptedApiModels } from "./testing/scripted-api-models.ts";
import { serveApi, type ServedApi } from "./testing/serve-api.ts";

/** The API on the real scheduler, whose engine is a fake one that takes its time. */
let models: TestModels;
let api: ServedApi;
const model = "a";

class ScheduledApiModels extends ScriptedApiModels {
  override get services() {
    return models.models;
  }
}

beforeAll(async () => {
  models = await TestModels.create({ wordMs: 2, reply: () => "one two three four five" });
  await models.models.configure({ queueLimit: 60 });
  api = await serveApi(new ScheduledApiModels());
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

it("overload is answered at once and honestly: whole replies, or 429 and 503 with when to ask again", async () => {
  const ask = async (at: number) => {
    const stream = at % 2 === 0;
    const messages = [{ role: "user", content: `question ${at}` }];
    const answer = await api.post("/v1/chat/completions", { model, messages, max_tokens: 20, stream });
    return { status: answer.status, retryAfter: answer.headers.get("retry-after"), text: await answer.text(), stream };
  };
  const answers = await Promise.all(Array.from({ length: 500 }, (_, at) => ask(at)));
  const admitted = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status !== 200);
  expect(admitted.length).toBeGreaterThan(10);
  expect(refused.length).toBeGreaterThan(100);
  for (const { text, stream } of admitted) expect(text).toContain(stream ? "data: [DONE]" : "one two three four five");
  for (const { status, retryAfter, text } of refused) {
    expect([429, 503]).toContain(status);
    expect(retryAfter).toMatch(/^[1-9]\d*$/u);
    expect(JSON.parse(text)).toMatchObject({
      error: { code: expect.stringMatching(/overloaded|rate_limit/u) as string },
    });
  }
  // And then it is as before.
  expect((await ask(0)).status).toBe(200);
  const { models: activity } = await models.models.activity();
  expect(activity.find((each) => each.model === model)).toMatchObject({ running: 0, queued: 0 });
});
