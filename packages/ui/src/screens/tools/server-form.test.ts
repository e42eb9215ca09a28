import { expect, test } from "vitest";
import type { ToolServerSettings } from "@corral/protocol";
import { draftOf, hostOf, kept, settingsFrom } from "./server-form.ts";

const program: ToolServerSettings = {
  name: "notes",
  enabled: true,
  transport: { kind: "stdio", command: "npx", args: ["-y", "server with space"], env: { TOKEN: null, A: "b=c" } },
  timeoutMs: 90_000,
};

test("settings survive the form, values that are not shown included", () => {
  const draft = draftOf(program);
  expect(draft).toMatchObject({ args: "-y\nserver with space", env: `TOKEN=${kept}\nA=b=c`, timeout: "90" });
  expect(settingsFrom(draft, true)).toEqual({ settings: program, errors: {} });
  const http: ToolServerSettings = {
    ...program,
    transport: {
      kind: "http",
      url: "http://localhost:1/mcp",
      headers: { Authorization: null },
      confirmedOutside: true,
    },
  };
  expect(settingsFrom(draftOf(http), true).settings).toEqual(http);
});

test("what is wrong is told field by field; what is empty is no error yet", () => {
  const empty = draftOf(null);
  expect(settingsFrom(empty, true)).toEqual({ settings: null, errors: {} });
  const wrong = { ...empty, name: "My Server", env: "NOVALUE", command: "x", timeout: "0" };
  expect(settingsFrom(wrong, true)).toEqual({ settings: null, errors: { name: true, secrets: true, timeout: true } });
  expect(settingsFrom({ ...empty, kind: "http", name: "a", url: "ftp://x" }, true).errors).toEqual({ url: true });
  expect(hostOf("https://tools.example:8443/mcp")).toBe("tools.example:8443");
  expect(hostOf("tools.example")).toBeNull();
});
