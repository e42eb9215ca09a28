import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { key, serveApi, type ServedApi } from "./testing/serve-api.ts";
import type { ReplyScript, ScriptedPart } from "./testing/scripted-api-models.ts";

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  api.models.stopped = 0;
});

const pause: ScriptedPart = { pauseMs: 30_000 };
const phases: Record<string, ReplyScript> = {
  queued: () => [{ type: "queued", place: 3, estimateMs: 900 }, pause, "never"],
  "reading the prompt": () => [{ type: "prefill-progress", done: 1, total: 100 }, pause, "never"],
  writing: function* () {
    for (;;) yield* ["word ", { pauseMs: 5 }];
  },
};

const ways: Record<string, (socket: Socket) => void> = {
  FIN: (socket) => socket.end(),
  RST: (socket) => socket.resetAndDestroy(),
};

const requests: Record<string, { path: string; body: object }> = {
  "a chat stream": {
    path: "/v1/chat/completions",
    body: { model: "scripted", messages: [{ role: "user", content: "hi" }], stream: true },
  },
  "a chat answer": {
    path: "/v1/chat/completions",
    body: { model: "scripted", messages: [{ role: "user", content: "hi" }], n: 2 },
  },
  "a response stream": { path: "/v1/responses", body: { model: "scripted", input: "hi", stream: true } },
  "a message stream": {
    path: "/v1/messages",
    body: { model: "scripted", max_tokens: 2_000, messages: [{ role: "user", content: "hi" }], stream: true },
  },
  "a completion": { path: "/v1/completions", body: { model: "scripted", prompt: "hi", max_tokens: 2_000 } },
};

/** Sends a request and leaves the answer unread but flowing. */
async function ask(path: string, body: object): Promise<Socket> {
  const socket = connect({ port: api.port, host: "127.0.0.1", allowHalfOpen: false });
  socket.on("error", () => undefined);
  socket.resume();
  const text = JSON.stringify(body);
  socket.write(
    [
      `POST ${path} HTTP/1.1`,
      "Host: x",
      `Authorization: Bearer ${key}`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(text)}`,
      "",
      text,
    ].join("\r\n"),
  );
  return socket;
}

describe("a client that goes away", () => {
  const cases = Object.keys(phases).flatMap((phase) =>
    Object.keys(ways).flatMap((way) => Object.keys(requests).map((kind) => ({ phase, way, kind }))),
  );

  it.each(cases)("stops $kind while it is $phase, by $way", async ({ phase, way, kind }) => {
    api.models.reply = phases[phase]!;
    const { path, body } = requests[kind]!;
    const socket = await ask(path, body);
    const wanted = "n" in body ? 2 : 1;
    await expect.poll(() => api.models.writing).toBe(wanted);
    ways[way]!(socket);
    await expect.poll(() => api.models.writing).toBe(0);
    await expect.poll(() => api.models.held).toBe(0);
    expect(api.models.stopped).toBe(wanted);
  });

  it("leaves the answers of others whole", async () => {
    let turn = 0;
    api.models.reply = function* ({ messages }) {
      const own = messages.at(-1)?.text ?? "";
      for (let at = 0; at < 60; at++) yield* [`${own}${at} `, { pauseMs: 1 + (turn++ % 5) }];
    };
    const read = async (name: string) => {
      const body = { model: "scripted", messages: [{ role: "user", content: name }], stream: true };
      const text = await (await api.post("/v1/chat/completions", body)).text();
      return [...text.matchAll(/"content":"([^"]*)"/gu)].map((match) => match[1]).join("");
    };
    const others = ["a", "b", "c", "d"].map((name) => read(name));
    for (let round = 0; round < 20; round++) {
      const socket = await ask(requests["a chat stream"]!.path, requests["a chat stream"]!.body);
      await new Promise((resolve) => setTimeout(resolve, round));
      ways[round % 2 === 0 ? "FIN" : "RST"]!(socket);
    }
    for (const [at, text] of (await Promise.all(others)).entries()) {
      const name = "abcd"[at]!;
      expect(text).toBe(Array.from({ length: 60 }, (_, word) => `${name}${word} `).join(""));
    }
    await expect.poll(() => api.models.held).toBe(0);
  });

  it("while its body is still arriving costs nothing", async () => {
    const socket = connect(api.port, "127.0.0.1");
    socket.on("error", () => undefined);
    const head = ["POST /v1/chat/completions HTTP/1.1", "Host: x", `Authorization: Bearer ${key}`];
    socket.write([...head, "Content-Type: application/json", "Content-Length: 1000", "", '{"model":'].join("\r\n"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(api.models.held).toBe(0);
    expect((await api.get("/v1/models")).status).toBe(200);
  });
});

describe("a client that reads slowly", () => {
  it("gets everything, and nothing is written faster than it reads", async () => {
    const word = "x".repeat(20_000);
    api.models.contextSize = 1_000_000;
    let written = 0;
    api.models.reply = function* () {
      for (let at = 0; at < 1_500; at++) {
        written++;
        yield `${word} `;
      }
    };
    const socket = connect(api.port, "127.0.0.1");
    socket.pause();
    const text = JSON.stringify({ ...requests["a chat stream"]!.body, max_tokens: 100_000 });
    const head = ["POST /v1/chat/completions HTTP/1.1", "Host: x", `Authorization: Bearer ${key}`, "Connection: close"];
    const length = `Content-Length: ${text.length}`;
    socket.write([...head, "Content-Type: application/json", length, "", text].join("\r\n"));
    await expect.poll(() => written).toBeGreaterThan(0);
    // It fills what lies between the two and waits there: kernels buffer a few MB on loopback, 30 MB are to be sent.
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = written === before;
          before = written;
          return isStill;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
    expect(written).toBeLessThan(1_400);
    let bytes = 0;
    socket.on("data", (data) => (bytes += data.length)).resume();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(written).toBe(1_500);
    expect(bytes).toBeGreaterThan(1_500 * 20_000);
    api.models.contextSize = 4_096;
  });
});
