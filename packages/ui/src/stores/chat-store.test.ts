import type { ToolCall } from "@corral/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { createChatStore } from "./chat-store.ts";
import { FakeHost } from "./testing/fake-host.ts";

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

async function start() {
  const host = new FakeHost();
  const connection = host.connect();
  open.push(connection);
  await vi.waitFor(() => expect(connection.state().kind).toBe("ready"));
  const chat = createChatStore(connection);
  /** The reply being written to the last question. */
  const reply = () => {
    const last = [...host.replies.values()].at(-1);
    if (!last) throw new Error("nothing was asked");
    return last;
  };
  const followed = () => vi.waitFor(() => expect(reply().followers).toBe(1));
  const last = () => chat.getState().messages.at(-1);
  return { host, connection, chat, reply, followed, last };
}

test("the first question creates a conversation with what was chosen before, and its reply streams in", async () => {
  const { host, chat, reply, followed, last } = await start();
  await chat.getState().attach({ collectionIds: ["c1"] });
  expect(await chat.getState().send("Why?")).toBe(true);
  await followed();
  reply().part({ type: "prefill-progress", done: 1, total: 4 });
  const { id } = reply().message;
  await vi.waitFor(() => expect(chat.getState().progress[id]).toMatchObject({ phase: "reading", fraction: 0.25 }));
  reply().say("Because ");
  reply().say("of it.");
  await vi.waitFor(() => expect(last()?.text).toBe("Because of it."));
  reply().finish();
  await vi.waitFor(() => expect(last()?.state).toBe("complete"));
  expect(chat.getState().progress).toEqual({});
  expect(host.conversation(chat.getState().conversationId ?? "").settings.sources.collectionIds).toEqual(["c1"]);
  expect(chat.getState().messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
});

test("after a lost link the running reply is picked up where it is by then, nothing twice", async () => {
  const { host, connection, chat, reply, followed, last } = await start();
  await chat.getState().send("Why?");
  await followed();
  reply().say("One. ");
  await vi.waitFor(() => expect(last()?.text).toBe("One. "));
  host.cut();
  reply().say("Two. ");
  await vi.waitFor(() => expect(connection.state().kind).toBe("ready"));
  await followed();
  reply().say("Three.");
  await vi.waitFor(() => expect(last()?.text).toBe("One. Two. Three."));
  reply().finish();
  await vi.waitFor(() => expect(last()?.state).toBe("complete"));
});

test("a page that opens a conversation follows the reply another page asked for", async () => {
  const { host, chat, reply, followed, last } = await start();
  await chat.getState().send("Why?");
  await followed();
  reply().say("Half of ");

  const connection = host.connect();
  open.push(connection);
  const other = createChatStore(connection);
  // Before there is a link, as right after a reload.
  await other.getState().open(chat.getState().conversationId ?? "");
  expect(other.getState().opening).toBe(true);
  await vi.waitFor(() => expect(other.getState().messages.at(-1)?.text).toBe("Half of "));
  reply().say("it.");
  reply().finish();
  await vi.waitFor(() =>
    expect(other.getState().messages.at(-1)).toMatchObject({ text: "Half of it.", state: "complete" }),
  );
  expect(last()?.text).toBe("Half of it.");
});

test("a reply goes on while another conversation is open, and is there on return", async () => {
  const { host, chat, reply, followed, last } = await start();
  await chat.getState().send("Why?");
  const { conversationId } = chat.getState();
  await followed();
  chat.getState().startNew();
  expect(chat.getState().messages).toEqual([]);
  reply().say("Still here.");
  await chat.getState().open(conversationId ?? "");
  expect(last()?.text).toBe("Still here.");
  expect(reply().followers).toBe(1);
  expect(host.calls.filter((call) => call === "chat.follow")).toHaveLength(1);
});

test("stopping keeps the text so far", async () => {
  const { chat, reply, followed, last } = await start();
  await chat.getState().send("Why?");
  await followed();
  reply().say("Only this");
  await chat.getState().stop();
  await vi.waitFor(() => expect(last()).toMatchObject({ state: "cancelled", text: "Only this" }));
});

test("regenerating puts the new version in the place of the old one", async () => {
  const { chat, reply, followed, last } = await start();
  await chat.getState().send("Why?");
  await followed();
  reply().finish({ text: "First." });
  await vi.waitFor(() => expect(last()?.state).toBe("complete"));
  const first = last()?.id ?? "";
  await chat.getState().regenerate(first);
  expect(chat.getState().messages).toHaveLength(2);
  expect(last()).toMatchObject({ state: "streaming", versions: [first, last()?.id] });
});

test("an edited question replaces itself and all that followed", async () => {
  const { chat, reply, followed, last } = await start();
  for (const question of ["One?", "Two?"]) {
    await chat.getState().send(question);
    await followed();
    reply().finish({ text: question });
    await vi.waitFor(() => expect(last()?.state).toBe("complete"));
  }
  expect(chat.getState().messages).toHaveLength(4);
  await chat.getState().send("Other one?", chat.getState().messages[0]?.id);
  expect(chat.getState().messages.map(({ text }) => text)).toEqual(["Other one?", ""]);
});

test("a reply whose stream breaks off is shown as interrupted, with its text and a reason", async () => {
  const { chat, reply, followed, last } = await start();
  await chat.getState().send("Why?");
  await followed();
  reply().say("Half");
  await vi.waitFor(() => expect(last()?.text).toBe("Half"));
  reply().breakOff();
  await vi.waitFor(() => expect(last()).toMatchObject({ state: "interrupted", text: "Half" }));
  expect(last()?.error).not.toBeNull();
});

test("a refused question is said in the host's words and leaves the conversation as it was", async () => {
  const { host, chat } = await start();
  host.failures.set("chat.send", {
    code: "CONVERSATION_BUSY",
    message: "An answer is being written here already.",
    data: { conversation: "c" },
  });
  expect(await chat.getState().send("Why?")).toBe(false);
  expect(chat.getState()).toMatchObject({
    sending: false,
    messages: [],
    error: { code: "CONVERSATION_BUSY", message: "An answer is being written here already." },
  });
});

test("a conversation that was removed elsewhere becomes a new one", async () => {
  const { chat } = await start();
  await chat.getState().open("gone");
  expect(chat.getState()).toMatchObject({ conversationId: null, opening: false, error: null });
});

test("drafts stay with their conversation", async () => {
  const { host, chat } = await start();
  const one = host.addConversation();
  chat.getState().setDraft("for a new one");
  await chat.getState().open(one.id);
  expect(chat.getState().draft).toBe("");
  chat.getState().setDraft("for one");
  chat.getState().startNew();
  expect(chat.getState().draft).toBe("for a new one");
  await chat.getState().open(one.id);
  expect(chat.getState().draft).toBe("for one");
});

test("what another tab does to the open conversation shows here", async () => {
  const { host, chat, reply } = await start();
  await chat.getState().send("Why?");
  reply().finish();
  const id = chat.getState().conversationId ?? "";
  await vi.waitFor(() => expect(host.conversationWatchers).toBe(1));

  const other = host.connect();
  open.push(other);
  await vi.waitFor(() => expect(other.state().kind).toBe("ready"));
  await other.client.chat.send({ conversationId: id, text: "And then?" });
  host.conversationChanged({ type: "changed", conversation: host.conversation(id) });
  await vi.waitFor(() => expect(chat.getState().messages.map(({ role }) => role)).toHaveLength(4));
  expect(chat.getState().messages[2]?.text).toBe("And then?");
  reply().say("The other tab's answer");
  await vi.waitFor(() => expect(chat.getState().messages.at(-1)?.text).toBe("The other tab's answer"));

  host.conversationChanged({ type: "removed", conversationId: id });
  await vi.waitFor(() => expect(chat.getState().conversationId).toBeNull());
  expect(chat.getState().messages).toEqual([]);
});

describe("a reply with tools", () => {
  const call: ToolCall = {
    ...{ id: "call_0", name: "mail__send", server: "mail", arguments: "{}" },
    ...{ state: "pending-approval", approval: "ask", result: null, resultOmitted: 0, durationMs: null },
  };

  test("shows each call in its newest state, and what the reply waits for", async () => {
    const { chat, reply, followed, last } = await start();
    await chat.getState().send("Send it.");
    await followed();
    const { id } = reply().message;
    const phase = () => chat.getState().progress[id]?.phase;
    reply().part({ type: "waiting", reason: "queue", progress: null, place: 2, estimateMs: 9_000 });
    await vi.waitFor(() =>
      expect(chat.getState().progress[id]).toEqual({ phase: "queued", place: 2, estimateMs: 9_000 }),
    );
    reply().part({ type: "prefill-progress", done: 1, total: 2, leftMs: 4_000 });
    await vi.waitFor(() => expect(chat.getState().progress[id]).toMatchObject({ phase: "reading", leftMs: 4_000 }));
    reply().say("One moment.");
    reply().part({ type: "tool-call", step: 0, textEnd: 11, call });
    await vi.waitFor(() => expect(phase()).toBe("approval"));
    expect(last()?.steps).toEqual([{ textEnd: 11, calls: [call] }]);
    reply().part({ type: "tool-call", step: 0, textEnd: 11, call: { ...call, state: "running" } });
    await vi.waitFor(() => expect(phase()).toBe("tool"));
    reply().part({ type: "tool-call", step: 0, textEnd: 11, call: { ...call, state: "done", result: "sent" } });
    await vi.waitFor(() => expect(phase()).toBe("continuing"));
    reply().say("\n\nSent.");
    await vi.waitFor(() => expect(phase()).toBe("writing"));
    expect(last()?.steps[0]?.calls).toMatchObject([{ state: "done", result: "sent" }]);
  });

  test("passes the decision on; one that comes too late is said", async () => {
    const { host, chat, followed } = await start();
    await chat.getState().send("Send it.");
    await followed();
    await chat.getState().decide("assistant-3", "call_0", "once");
    expect(host.calls).toContain("chat.decide");
    host.failures.set("chat.decide", { code: "TOOL_CALL_NOT_FOUND", message: "Too late.", data: { call: "call_0" } });
    await chat.getState().decide("assistant-3", "call_0", "deny");
    expect(chat.getState().error?.message).toBe("Too late.");
  });

  test("that did not fit is written again once room is made", async () => {
    const { host, chat, reply, followed } = await start();
    await chat.getState().send("Why?");
    await followed();
    const first = reply().message.id;
    reply().finish({ state: "failed" });
    await chat.getState().makeRoom(first, "summarise");
    expect(chat.getState().settings.overflow).toBe("summarise");
    await vi.waitFor(() => expect(reply().message.id).not.toBe(first));
    expect(host.calls.slice(-3)).toContain("chat.regenerate");
  });
});
