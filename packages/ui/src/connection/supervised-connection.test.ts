import { PROTOCOL_VERSION } from "@corral/protocol";
import { afterEach, expect, test, vi } from "vitest";
import { FakeHost } from "../stores/testing/fake-host.ts";
import type { Connection } from "./connection.ts";
import { reportOf } from "./error-report.ts";
import { readStream } from "./read-stream.ts";

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

function connect(host: FakeHost): Connection {
  const connection = host.connect();
  open.push(connection);
  return connection;
}

const until = (connection: Connection, kind: string) =>
  vi.waitFor(() => expect(connection.state().kind).toBe(kind), { timeout: 5_000 });

test("is ready after the handshake and tells what the host is", async () => {
  const connection = connect(new FakeHost());
  expect(connection.state().kind).toBe("connecting");
  await until(connection, "ready");
  expect(connection.state()).toMatchObject({
    host: { protocolVersion: PROTOCOL_VERSION, supportedFileTypes: [".pdf"] },
  });
});

test("a host of another protocol version asks for a reload and is not tried again", async () => {
  const host = new FakeHost();
  host.protocolVersion = PROTOCOL_VERSION + 1;
  const connection = connect(host);
  await until(connection, "incompatible");
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(host.calls).toEqual(["system.handshake"]);
});

test("a wrong key stops the attempts until another one is entered", async () => {
  const host = new FakeHost();
  host.refuses = "key-wrong";
  const connection = connect(host);
  await until(connection, "refused");
  connection.enterKey("wrong too");
  await until(connection, "refused");
  connection.enterKey("right");
  await until(connection, "ready");
});

test("a lost link comes back by itself, and what needs one starts again with a fresh signal", async () => {
  const host = new FakeHost();
  const connection = connect(host);
  const signals: AbortSignal[] = [];
  connection.whileReady((signal) => {
    signals.push(signal);
    return Promise.resolve();
  });
  await until(connection, "ready");
  const states: string[] = [];
  connection.subscribe(({ kind }) => states.push(kind));
  host.cut();
  await vi.waitFor(() => expect(states).toEqual(["lost", "ready"]));
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});

test("a call without a link, or whose link ends, fails with a sentence instead of hanging", async () => {
  const host = new FakeHost();
  const connection = connect(host);
  await expect(connection.client.conversations.list({ search: "" })).rejects.toThrow();
  await until(connection, "ready");
  host.onPageImage = () => new Promise(() => {});
  const call = connection.client.library.pageImage({ documentId: "d", page: 1, scale: 1 });
  const outcome = call.catch((error: unknown) => reportOf(error));
  await vi.waitFor(() => expect(host.calls).toContain("library.pageImage"));
  host.cut();
  expect(await outcome).toMatchObject({ code: "HOST_UNREACHABLE" });
});

test("a declared error keeps its code and words; anything else is masked", async () => {
  const host = new FakeHost();
  const connection = connect(host);
  await until(connection, "ready");
  const call = () => connection.client.conversations.get({ conversationId: "gone" }).catch(reportOf);
  expect(await call()).toMatchObject({ code: "CONVERSATION_NOT_FOUND", message: "This conversation is gone." });
  expect(reportOf(new TypeError("x is undefined"))).toMatchObject({ code: "INTERNAL" });
});

test("reading a stream ends with its signal and tells an abort from a failure", async () => {
  const host = new FakeHost();
  const connection = connect(host);
  await until(connection, "ready");
  const stop = new AbortController();
  const seen: string[] = [];
  const end = readStream(
    (signal) => connection.client.library.watch(undefined, { signal }),
    stop.signal,
    ({ type }) => {
      seen.push(type);
      stop.abort();
    },
  );
  expect(await end).toBe("aborted");
  expect(seen).toEqual(["snapshot"]);

  host.failures.set("library.watch", { code: "UNAUTHORIZED", message: "No.", data: {} });
  const failing = readStream(
    (signal) => connection.client.library.watch(undefined, { signal }),
    new AbortController().signal,
    () => {},
  );
  await expect(failing).rejects.toThrow("No.");
});
