// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { AccessKey } from "./access-key.ts";

beforeEach(() => {
  window.localStorage.clear();
  window.history.replaceState(null, "", "/");
});

test("takes the key out of the address, so that it is neither seen nor copied along", () => {
  window.history.replaceState(null, "", "/#key=abc123");
  expect(new AccessKey().current).toBe("abc123");
  expect(window.location.href).not.toContain("abc123");
});

test("remembers the key for the next visit; a newer address wins", () => {
  window.history.replaceState(null, "", "/#key=first");
  expect(new AccessKey().current).toBe("first");
  expect(new AccessKey().current).toBe("first");
  window.history.replaceState(null, "", "/#key=second");
  expect(new AccessKey().current).toBe("second");
  expect(new AccessKey().current).toBe("second");
});

test("has no key when it never got one", () => {
  expect(new AccessKey().current).toBeNull();
});
