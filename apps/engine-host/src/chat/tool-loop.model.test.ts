import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultSampling } from "@corral/protocol";
import type { GenerateRequest } from "../engines/engine.ts";
import { createLlamaEngine } from "../engines/llama-engine.ts";
import { createHardware } from "../hardware/read-hardware.ts";
import { openLogger } from "../logger.ts";
import { createModels } from "../models/create-models.ts";
import type { ModelLease, Models } from "../models/models.ts";
import { createRetrieval } from "../retrieval/create-retrieval.ts";
import { createChat } from "./create-chat.ts";
import type { ChatModels } from "./generate-reply.ts";
import { FakeTools } from "./testing/fake-tools.ts";
import { temporaryStore } from "./testing/stored-documents.ts";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const logger = openLogger({ directory: null, stderr: null });
const forever = new AbortController().signal;

let home: Awaited<ReturnType<typeof temporaryStore>>;
let models: Models;

beforeAll(async () => {
  home = await temporaryStore();
  models = createModels({
    store: home.store,
    engine: createLlamaEngine({ logger }),
    hardware: createHardware({ diskPath: home.directory }),
    logger,
    embeddedModelPath: readerPath,
  });
});
afterAll(async () => {
  await models[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

/**
 * The reader as if it could converse: its first turn has to call the lamp. It knows nothing of tools, so which state it asks
 * for is anybody's guess; the grammar alone makes it a call.
 */
function forced(requests: GenerateRequest[]): ChatModels {
  return {
    list: () => models.list(),
    plan: (id) => models.plan(id),
    forgetConversation: (owner) => models.forgetConversation(owner),
    acquire: async (id, options) => {
      const lease = await models.acquire(id, options);
      const asChat: ModelLease = {
        ...lease,
        model: lease.model,
        summary: { ...lease.summary, ability: "chat" },
        noteSpeed: () => {},
        generate: (request, signal) => {
          requests.push(request);
          const first = request.messages.at(-1)?.role === "user";
          return lease.generate(
            first ? { ...request, toolChoice: { name: "home__lamp" }, parallelToolCalls: false } : request,
            signal,
          );
        },
        [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
      };
      return asChat;
    },
  };
}

it("a real engine's call is run, and its result goes back in the model's own format", async () => {
  const { store } = home;
  const requests: GenerateRequest[] = [];
  const lamp = new FakeTools(
    [
      {
        name: "home__lamp",
        server: "home",
        description: "Switches the lamp.",
        parameters: { type: "object", properties: { state: { enum: ["on", "off"] } }, required: ["state"] },
      },
    ],
    () => Promise.resolve("The lamp is <|eot_id|> switched."),
  );
  await using chat = createChat({
    mcp: lamp,
    store,
    retrieval: createRetrieval({ store }),
    models: forced(requests),
    logger,
  });
  const conversation = await chat.create({
    tools: { enabled: ["home__lamp"], allowed: [] },
    sampling: { ...defaultSampling, temperature: 0, maxTokens: 250, seed: 1 },
  });
  const { reply } = await chat.send(conversation.id, "It is dark.");
  for await (const part of chat.follow(reply.id, forever)) {
    if (part.type !== "tool-call" || part.call.state !== "pending-approval") continue;
    await chat.decide(reply.id, part.call.id, "once");
  }
  const message = (await store.messages.get(reply.id))!;

  expect(message).toMatchObject({ state: "complete", error: null });
  const [call] = message.steps[0]!.calls;
  expect(call).toMatchObject({ name: "home__lamp", state: "done", result: "The lamp is <|eot_id|> switched." });
  const args = JSON.parse(call!.arguments) as { state: string };
  expect(["on", "off"]).toContain(args.state);
  expect(lamp.calls[0]).toEqual({ name: "home__lamp", args });
  expect(requests[1]!.messages.at(-1)).toMatchObject({ role: "tool", text: call!.result });
  expect(message.usage!.completionTokens).toBeGreaterThan(0);
  // What the first turn evaluated is not evaluated again.
  expect(message.usage!.cachedTokens).toBeGreaterThan(0);
});
