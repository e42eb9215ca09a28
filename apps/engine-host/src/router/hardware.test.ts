import { expect, it } from "vitest";
import { createHardware } from "../hardware/read-hardware.ts";
import { openFakeMachine } from "../hardware/testing/fake-machine.ts";
import { createInProcessClient } from "./in-process-client.ts";
import { fakeServices } from "./testing/fake-services.ts";

it.skipIf(process.platform === "win32")(
  "hardware is watched as long as the caller listens, and not longer",
  async () => {
    await using machine = await openFakeMachine("2-unequal");
    const hardware = createHardware({ ...machine.options, intervalMs: 30 });
    const client = createInProcessClient({ ...fakeServices(), hardware });
    const { gpus } = await client.hardware.snapshot();
    let seen = 0;
    for await (const sample of await client.hardware.watch()) {
      expect(sample.gpus.map(({ id }) => id)).toEqual(gpus.map(({ id }) => id));
      if (++seen > 3) break;
    }
    const hasLoop = async () => (await machine.calls()).filter((call) => call.includes("-lms")).length;
    expect(await hasLoop()).toBe(1);
    // A new watcher starts a new loop only if the old one ended with the last watcher.
    for await (const _ of await client.hardware.watch()) break;
    expect(await hasLoop()).toBe(2);
  },
);
