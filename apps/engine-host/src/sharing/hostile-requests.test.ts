import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileRequests } from "./testing/hostile-requests.ts";
import { key, serveApi, type ServedApi } from "./testing/serve-api.ts";

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
});
afterAll(() => api[Symbol.asyncDispose]());

describe("parameters out of range", () => {
  it("are more than eighty cases, each of its own name", () => {
    expect(new Set(hostileRequests.map(({ name, path }) => `${path} ${name}`)).size).toBe(hostileRequests.length);
    expect(hostileRequests.length).toBeGreaterThan(80);
  });

  it.each(hostileRequests)("are refused by name and cost nothing: $path $name", async (request) => {
    const { path, body, param, headers } = request;
    api.models.requests.length = 0;
    const answer = await api.post(path, body, headers);
    const { error } = (await answer.json()) as { error: { message: string; type: string; param: string | null } };
    expect([answer.status, error.type]).toEqual([400, "invalid_request_error"]);
    // A wrong entry may be named more closely than the field.
    if (param === null) expect(error.param).toBeNull();
    else expect(error.param ?? "").toMatch(new RegExp(`^${param.replace(/[[\].$]/gu, "\\$&")}`, "u"));
    expect(error.message.length).toBeLessThan(1_500);
    expect(api.models.requests).toEqual([]);
    expect(api.models.held).toBe(0);
  });

  it("cost no memory that stays", async () => {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (const { path, body, headers } of hostileRequests) await (await api.post(path, body, headers)).arrayBuffer();
    globalThis.gc?.();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 2 ** 20);
  });
});

describe("a body", () => {
  it("is cut off where it gets too large, also without a declared length", async () => {
    const socket = connect(api.port, "127.0.0.1");
    const answered = new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (data) => {
        text += data.toString();
        if (text.includes("request_too_large")) resolve(text);
      });
      socket.on("error", () => resolve(text));
      socket.on("close", () => resolve(text));
    });
    socket.write(
      [
        "POST /v1/chat/completions HTTP/1.1",
        "Host: x",
        `Authorization: Bearer ${key}`,
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "",
        "",
      ].join("\r\n"),
    );
    const part = "x".repeat(2 ** 20);
    let isOpen = true;
    void answered.then(() => (isOpen = false));
    for (let sent = 0; sent < 64 && isOpen; sent++) {
      await new Promise((resolve) => socket.write(`100000\r\n${part}\r\n`, resolve));
    }
    const text = await answered;
    expect(text).toContain("HTTP/1.1 400");
    expect(text).toContain("request_too_large");
    socket.destroy();
  });

  it("may have what an API's own clients send besides", async () => {
    const answer = await api.post("/v1/chat/completions", {
      model: "scripted",
      messages: [{ role: "user", content: [{ type: "text", text: "hi" }], name: "Ada" }],
      metadata: { a: "b" },
      store: true,
      user: "u",
      reasoning_effort: "low",
      verbosity: "low",
      prompt_cache_key: "k",
      safety_identifier: "s",
      modalities: ["text"],
      response_format: { type: "text" },
      tools: [],
      stop: null,
      service_tier: "flex",
      made_up: 1,
    });
    expect(answer.status).toBe(200);
    expect(api.models.clients.at(-1)).toMatchObject({ user: "owner", priority: "batch" });
  });
});
