import { afterEach, expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { createConversationsStore } from "./conversations-store.ts";
import { FakeHost } from "./testing/fake-host.ts";

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

test("a search narrows the list, and the titles of the others stay known", async () => {
  const host = new FakeHost();
  const pumps = host.addConversation();
  const valves = host.addConversation();
  pumps.title = "Pumps";
  valves.title = "Valves";
  const connection = host.connect();
  open.push(connection);
  const store = createConversationsStore(connection);
  const listed = () => store.getState().conversations.map(({ title }) => title);
  await vi.waitFor(() => expect(listed()).toEqual(["Pumps", "Valves"]));

  store.getState().setSearch("Val");
  await vi.waitFor(() => expect(listed()).toEqual(["Valves"]));
  expect(store.getState().titles).toEqual({ [pumps.id]: "Pumps", [valves.id]: "Valves" });
});
