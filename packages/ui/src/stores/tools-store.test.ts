import { afterEach, expect, test, vi } from "vitest";
import type { ToolServerSettings } from "@corral/protocol";
import type { Connection } from "../connection/connection.ts";
import { FakeHost } from "./testing/fake-host.ts";
import { createToolsStore } from "./tools-store.ts";

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

const settings: ToolServerSettings = {
  name: "notes",
  enabled: true,
  transport: { kind: "stdio", command: "notes", args: [], env: {} },
  timeoutMs: 60_000,
};

async function start() {
  const host = new FakeHost();
  const connection = host.connect();
  open.push(connection);
  const tools = createToolsStore(connection);
  await vi.waitFor(() => expect(tools.getState().loaded).toBe(true));
  return { host, tools };
}

test("shows the servers and each change, and asks again which tools there are", async () => {
  const { host, tools } = await start();
  await vi.waitFor(() => expect(tools.getState().tools).toEqual([]));
  const asked = () => host.calls.filter((name) => name === "tools.list").length;
  const before = asked();
  expect(await tools.getState().save(settings, null)).toBeNull();
  await vi.waitFor(() => expect(tools.getState().servers).toHaveLength(1));
  await vi.waitFor(() => expect(asked()).toBeGreaterThan(before));
});

test("a refusal is given to the form; one of a switch is said on the page", async () => {
  const { host, tools } = await start();
  const refusal = { code: "OUTSIDE_ADDRESS" as const, message: "Far away.", data: { address: "example.com" } };
  host.failures.set("tools.addServer", refusal);
  expect(await tools.getState().save(settings, null)).toMatchObject({ code: "OUTSIDE_ADDRESS" });
  expect(tools.getState().error).toBeNull();
  await tools.getState().save(settings, null);
  await vi.waitFor(() => expect(tools.getState().servers).toHaveLength(1));
  host.failures.set("tools.changeServer", refusal);
  await tools.getState().setEnabled(tools.getState().servers[0]!, false);
  expect(tools.getState().error?.message).toBe("Far away.");
});
