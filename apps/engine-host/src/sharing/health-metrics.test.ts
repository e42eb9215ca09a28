import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CorralError, type ModelSummary } from "@corral/protocol";
import { health } from "./health.ts";
import { chatModel, ScriptedApiModels } from "./testing/scripted-api-models.ts";
import { key, serveApi, type ServedApi } from "./testing/serve-api.ts";

const crashed = new CorralError("ENGINE_CRASHED", "Its process was ended by SIGKILL.", { model: "secret" }).report();

async function healthOf(given: Partial<ModelSummary> | null): Promise<[number, string, string | null]> {
  const models = { list: async () => (given === null ? [] : [{ ...chatModel, ...given }]) };
  const answer = await health(models);
  const body = (await answer.json()) as { status: string; reason?: string };
  expect(JSON.stringify(body)).not.toMatch(/secret|nowhere/u);
  return [answer.status, body.status, body.reason ?? null];
}

describe("health", () => {
  it("is good when a question could be answered now", async () => {
    for (const state of ["unloaded", "pending", "loading", "ready", "idle", "unloading"] as const) {
      expect(await healthOf({ state })).toEqual([200, "ok", null]);
    }
    // It crashed once and is loaded again.
    expect(await healthOf({ state: "ready", lastError: crashed })).toEqual([200, "ok", null]);
  });

  it("is bad with a reason when not", async () => {
    expect(await healthOf(null)).toEqual([503, "unavailable", expect.stringContaining("No model")]);
    expect(await healthOf({ state: "absent" })).toEqual([503, "unavailable", expect.stringContaining("No model")]);
    expect(await healthOf({ state: "quarantined" })).toEqual([
      503,
      "unavailable",
      expect.stringContaining("left alone"),
    ]);
    for (const state of ["unloaded", "pending", "loading"] as const) {
      expect(await healthOf({ state, lastError: crashed })).toEqual([
        503,
        "unavailable",
        expect.stringContaining("engine"),
      ]);
    }
    const tooLarge = new CorralError("INSUFFICIENT_MEMORY", "secret", { devices: [] }).report();
    expect(await healthOf({ state: "unloaded", lastError: tooLarge })).toEqual([
      503,
      "unavailable",
      expect.stringContaining("cannot be loaded"),
    ]);
    const never = await health({ list: () => new Promise(() => {}) });
    expect(never.status).toBe(503);
  });
});

describe("over HTTP", () => {
  let api: ServedApi;
  beforeEach(async () => {
    api = await serveApi(new ScriptedApiModels());
  });
  afterEach(() => api[Symbol.asyncDispose]());

  it("health needs no key, metrics the owner's", async () => {
    expect((await fetch(`${api.address}/health`)).status).toBe(200);
    expect((await fetch(`${api.address}/metrics`)).status).toBe(401);
    expect((await fetch(`${api.address}/metrics`, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    expect((await fetch(`${api.address}/metrics`, { headers: { "x-api-key": key } })).status).toBe(200);
  });

  it("metrics are Prometheus' text: models, requests and how long they took", async () => {
    const chat = { model: "scripted", messages: [{ role: "user", content: "hi" }] };
    await (await api.post("/v1/chat/completions", chat)).arrayBuffer();
    await (await api.post("/v1/chat/completions", { ...chat, stream: true })).arrayBuffer();
    await (await api.post("/v1/chat/completions", { ...chat, n: 0 })).arrayBuffer();
    const answer = await api.get("/metrics");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) corral_\w+ .+|corral_\w+(\{\w+="(\\.|[^"\\])*"(,\w+="(\\.|[^"\\])*")*\})? \S+)$/u,
      );
    }
    for (const line of [
      'corral_prompt_tokens_total{model="scripted"} 10',
      'corral_completion_tokens_total{model="scripted"} 20',
      'corral_replies_total{model="scripted",outcome="refused_queue_full"} 7',
      'corral_requests_queued{model="scripted"} 2',
      'corral_slots_busy{model="scripted",context="4096"} 1',
      'corral_kv_cache_used_tokens{model="scripted"} 100',
      'corral_model_memory_bytes{model="scripted",device="cpu",name="Main memory"} 1000',
      // Cumulative: 1, 1 + 2, and 3 above the last bound.
      'corral_time_to_first_token_seconds_bucket{model="scripted",le="0.1"} 1',
      'corral_time_to_first_token_seconds_bucket{model="scripted",le="1"} 3',
      'corral_time_to_first_token_seconds_bucket{model="scripted",le="+Inf"} 6',
      'corral_time_to_first_token_seconds_sum{model="scripted"} 4.5',
      'corral_http_requests_total{route="/v1/chat/completions",status="200"} 2',
      'corral_http_requests_total{route="/v1/chat/completions",status="400"} 1',
      'corral_http_streams_total{outcome="complete"} 1',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    // Metric names are announced once.
    const announced = [...text.matchAll(/^# TYPE (\w+)/gmu)].map((match) => match[1]);
    expect(new Set(announced).size).toBe(announced.length);
  });
});
