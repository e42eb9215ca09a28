import type { IpcMain } from "electron";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { isTrustedSender, ValidatedIpc } from "./validated-ipc.ts";

const page = { url: "corral://app/desktop.html", parent: null };
const trusted = { senderFrame: page, sender: { id: 7 } };
const known = (id: number) => id === 7;

describe("isTrustedSender", () => {
  test("accepts our page's main frame only", () => {
    expect(isTrustedSender(trusted, known)).toBe(true);
    const attacks = [
      { senderFrame: null, sender: { id: 7 } },
      { senderFrame: { ...page, parent: page }, sender: { id: 7 } },
      { senderFrame: { ...page, url: "https://evil.test/" }, sender: { id: 7 } },
      { senderFrame: { ...page, url: "corral://evil/" }, sender: { id: 7 } },
      { senderFrame: { ...page, url: "corral://app.evil/" }, sender: { id: 7 } },
      { senderFrame: { ...page, url: "file:///desktop.html" }, sender: { id: 7 } },
      { senderFrame: { ...page, url: "about:blank" }, sender: { id: 7 } },
      { senderFrame: page, sender: { id: 8 } },
    ];
    for (const attack of attacks) expect(isTrustedSender(attack, known)).toBe(false);
  });
});

describe("ValidatedIpc", () => {
  function makeIpc() {
    const listeners = new Map<string, (event: unknown, payload: unknown) => unknown>();
    const register = (channel: string, listener: (event: unknown, payload: unknown) => unknown) =>
      void listeners.set(channel, listener);
    const ipc = new ValidatedIpc({ on: register, handle: register } as unknown as IpcMain, known);
    return {
      ipc,
      send: (channel: string, event: unknown, payload: unknown) => listeners.get(channel)?.(event, payload),
    };
  }

  test("passes on what the schema accepts and drops the rest", () => {
    const { ipc, send } = makeIpc();
    const received = vi.fn();
    ipc.on("port", z.string().max(100), (_event, nonce) => received(nonce));
    send("port", trusted, "abc");
    send("port", trusted, { toString: () => "abc" });
    send("port", trusted, "x".repeat(2_000_000));
    send("port", { ...trusted, sender: { id: 9 } }, "abc");
    expect(received.mock.calls).toEqual([["abc"]]);
  });

  test("rejects bad requests without a reason", async () => {
    const { ipc, send } = makeIpc();
    ipc.handle("pick", z.undefined(), async () => ["/a.pdf"]);
    await expect(send("pick", trusted, undefined)).resolves.toEqual(["/a.pdf"]);
    await expect(send("pick", trusted, "/etc")).rejects.toThrow("Refused");
    await expect(send("pick", { senderFrame: null, sender: { id: 7 } }, undefined)).rejects.toThrow("Refused");
  });
});
