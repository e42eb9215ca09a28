import { join } from "node:path";
import { expect, it } from "vitest";

import { createLlamaEngine } from "../engines/llama-engine.ts";
import { createHardware } from "../hardware/read-hardware.ts";
import { openLogger } from "../logger.ts";
import { createModels } from "./create-models.ts";
import type { ScheduledPart } from "./models.ts";
import { memorySettings } from "./testing/memory-settings.ts";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const never = new AbortController().signal;

it("a killed worker costs one reply: the text so far stays, and the next question is answered", async () => {
  const logger = openLogger({ directory: null, stderr: null });
  await using models = createModels({
    store: {
      modelFiles: {
        list: () => Promise.resolve([]),
        add: () => Promise.reject(new Error()),
        remove: () => Promise.resolve(),
      },
      settings: memorySettings(),
      fitMeasurements: { list: () => Promise.resolve([]), add: () => Promise.resolve() },
    },
    engine: createLlamaEngine({ logger }),
    hardware: createHardware({ diskPath: "/" }),
    logger,
    embeddedModelPath: readerPath,
  });
  const ask = (alternatives: string[]) => ({
    messages: [{ role: "user" as const, text: "Say it." }],
    alternatives,
    maxTokens: 700,
    temperature: 0,
    topP: 1,
    topK: 0,
    minP: 0,
    repeatPenalty: 1,
    seed: null,
  });
  const collect = async (stream: AsyncIterable<ScheduledPart>, onText: () => void = () => undefined) => {
    let text = "";
    for await (const part of stream) {
      if (part.type !== "text-delta") continue;
      text += part.text;
      onText();
    }
    return text;
  };

  const lease = await models.acquire(null, { signal: never });
  const pid = (lease.model as unknown as { pid: number }).pid;
  const killed = collect(lease.generate(ask(["word ".repeat(900)]), never), () => process.kill(pid, "SIGKILL"));
  await expect(killed).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
  await lease[Symbol.asyncDispose]();
  await lease.model.ended;
  expect((await models.list())[0]).toMatchObject({ state: "pending", lastError: { code: "ENGINE_CRASHED" } });

  await using next = await models.acquire(null, { signal: never });
  expect(await collect(next.generate(ask(["Here it is."]), never))).toBe("Here it is.");
  expect((await models.list())[0]).toMatchObject({
    id: "corral-reader",
    state: "ready",
    lastError: null,
    contextSize: 1024,
  });
});
