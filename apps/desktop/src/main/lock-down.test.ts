import type { Session, WebContents } from "electron";
import { describe, expect, test, vi } from "vitest";
import { denyNavigation, isAllowedRequest, lockDownSession, quietSwitches, refusedSwitch } from "./lock-down.ts";

/** A session that records what is set on it. */
function fakeSession() {
  const set = new Map<string, (...values: never[]) => unknown>();
  const record = (name: string) => (handler: (...values: never[]) => unknown) => void set.set(name, handler);
  const spellChecker = vi.fn();
  const session = {
    setPermissionRequestHandler: record("request"),
    setPermissionCheckHandler: record("check"),
    setDevicePermissionHandler: record("device"),
    setDisplayMediaRequestHandler: record("display"),
    setSpellCheckerEnabled: spellChecker,
    on: (name: string, handler: (...values: never[]) => unknown) => set.set(name, handler),
    webRequest: { onBeforeRequest: record("before-request") },
  } as unknown as Session;
  lockDownSession(session);
  const call = (name: string, ...values: unknown[]) => set.get(name)?.(...(values as never[]));
  return { call, spellChecker };
}

describe("lockDownSession", () => {
  test("denies every permission but writing to the clipboard from our own main frame", () => {
    const { call, spellChecker } = fakeSession();
    const asked = (permission: string, url: string, isMainFrame = true) => {
      const callback = vi.fn();
      call("request", null, permission, callback, { requestingUrl: url, isMainFrame });
      return callback.mock.calls[0]?.[0] as boolean;
    };
    for (const permission of ["media", "geolocation", "notifications", "clipboard-read", "openExternal", "hid"]) {
      expect(asked(permission, "corral://app/desktop.html")).toBe(false);
      expect(call("check", null, permission, "corral://app", { isMainFrame: true })).toBe(false);
    }
    expect(asked("clipboard-sanitized-write", "corral://app/desktop.html")).toBe(true);
    expect(asked("clipboard-sanitized-write", "https://evil.test/")).toBe(false);
    expect(asked("clipboard-sanitized-write", "corral://app/desktop.html", false)).toBe(false);
    expect(call("device", {})).toBe(false);
    expect(spellChecker).toHaveBeenCalledWith(false);
    const download = { preventDefault: vi.fn() };
    call("will-download", download);
    expect(download.preventDefault).toHaveBeenCalled();
  });

  test("cancels requests that are not the app's own", () => {
    const { call } = fakeSession();
    const cancelled = (url: string) => {
      const callback = vi.fn();
      call("before-request", { url }, callback);
      return (callback.mock.calls[0]?.[0] as { cancel: boolean }).cancel;
    };
    expect(cancelled("corral://app/assets/app.js")).toBe(false);
    expect(cancelled("blob:corral://app/1")).toBe(false);
    for (const url of [
      "https://example.com/",
      "http://127.0.0.1:7410/",
      "file:///etc/passwd",
      "ws://x/",
      "corral://evil/",
    ]) {
      expect(cancelled(url)).toBe(true);
    }
    expect(isAllowedRequest("nonsense")).toBe(false);
  });
});

test("denyNavigation stops every way out of the page", () => {
  const handlers = new Map<string, (event: { preventDefault(): void }) => void>();
  let openHandler: (() => { action: string }) | undefined;
  denyNavigation({
    on: (name: string, handler: (event: { preventDefault(): void }) => void) => handlers.set(name, handler),
    setWindowOpenHandler: (handler: () => { action: string }) => (openHandler = handler),
  } as unknown as WebContents);
  for (const name of ["will-navigate", "will-frame-navigate", "will-redirect", "will-attach-webview"]) {
    const event = { preventDefault: vi.fn() };
    handlers.get(name)?.(event);
    expect(event.preventDefault, name).toHaveBeenCalledOnce();
  }
  expect(openHandler?.()).toEqual({ action: "deny" });
});

test("dangerous switches are refused, quiet ones are set", () => {
  expect(refusedSwitch({ hasSwitch: (name) => name === "no-sandbox" })).toBe("no-sandbox");
  expect(refusedSwitch({ hasSwitch: (name) => name === "remote-debugging-port" })).toBe("remote-debugging-port");
  expect(refusedSwitch({ hasSwitch: () => false })).toBeNull();
  expect(quietSwitches.map(([name]) => name)).toEqual(
    expect.arrayContaining(["disable-background-networking", "disable-component-update", "disable-domain-reliability"]),
  );
});
