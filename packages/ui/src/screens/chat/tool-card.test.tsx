// @vitest-environment happy-dom
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Message } from "@corral/protocol";
import type { Connection } from "../../connection/connection.ts";
import { sampleConnection } from "../../gallery/sample-connection.ts";
import { sampleCalls, sampleOverflow, sampleToolAnswer } from "../../gallery/sample-tools.ts";
import { startLocales } from "../../locales/locales.ts";
import { createStores, StoresProvider, type Stores } from "../../stores/stores.tsx";
import { AssistantMessage } from "./assistant-message.tsx";
import { ToolAnnouncer } from "./tool-announcer.tsx";

const decide = vi.fn((_input: { decision: string }) => Promise.resolve());
let stores: Stores;
let root: Root;

beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await startLocales();
});
beforeEach(() => {
  const sample = sampleConnection(false);
  stores = createStores({
    ...sample,
    client: { ...(sample.client as object), chat: { decide } },
  } as unknown as Connection);
  root = createRoot(document.body.appendChild(document.createElement("div")));
});
afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
  vi.clearAllMocks();
});

function show(message: Message): void {
  stores.chat.setState({ messages: [message] });
  act(() =>
    root.render(
      <StoresProvider stores={stores}>
        <AssistantMessage message={message} />
        <ToolAnnouncer />
      </StoresProvider>,
    ),
  );
}
const withCalls = (...ids: string[]): Message => ({
  ...sampleToolAnswer,
  state: "streaming",
  steps: [{ textEnd: 15, calls: sampleCalls.filter(({ id }) => ids.includes(id)) }],
});
const button = (name: string) =>
  [...document.querySelectorAll("button")].find(({ textContent }) => textContent === name);

test("a call stands between the words before and after it, with exactly its arguments and nothing hidden in them", () => {
  show(withCalls("ask"));
  const text = document.body.textContent;
  expect(text.indexOf("I look that up.")).toBeLessThan(text.indexOf("anna@example.org"));
  expect(text.indexOf("anna@example.org")).toBeLessThan(text.indexOf("Two weeks during probation"));
  const block = document.querySelector("pre")!;
  expect(block.textContent).toContain('"to": "anna@example.org"');
  expect(block.textContent).toContain("Three months\\u{202e} to the end");
  expect(block.closest("details")).toBeNull();
});

test("the decision goes to the host once", async () => {
  show(withCalls("ask"));
  await act(async () => button("Allow once")!.click());
  expect(decide).toHaveBeenCalledExactlyOnceWith({ messageId: "answer", callId: "ask", decision: "once" });
  await act(async () => button("Always in this conversation")!.click());
  await act(async () => button("Do not run")!.click());
  expect(decide.mock.calls.map(([{ decision }]) => decision)).toEqual(["once", "always", "deny"]);
});

test("where text from elsewhere was read, nothing lasting is offered and it is said why", () => {
  show(withCalls("tainted"));
  expect(button("Always in this conversation")).toBeUndefined();
  expect(document.body.textContent).toContain("It has read text from documents or tools");
});

test("screen readers are told at once that the answer waits for them", () => {
  show(withCalls("ask"));
  expect(document.querySelector("[aria-live=assertive]")!.textContent).toBe(
    "The answer waits: may the tool mail__send run?",
  );
  show(withCalls("running"));
  expect(document.querySelector("[aria-live=assertive]")!.textContent).toBe("");
});

test("a result is folded, plain text, and says what was left out of it", () => {
  show(withCalls("long", "search"));
  const results = [...document.querySelectorAll("details")];
  expect(results.every(({ open }) => !open)).toBe(true);
  expect(document.body.textContent).toContain("41,234 more characters were left out of the result.");
  expect(document.body.textContent).toContain("Search the documents");
});

test("an answer that did not fit offers the ways to make room", () => {
  show(sampleOverflow);
  expect(button("Try again")).toBeUndefined();
  expect(button("Summarise the oldest messages")).toBeDefined();
  expect(button("Quote fewer passages")).toBeDefined();
});
