import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ToolServerSettings } from "@corral/protocol";
import { openLogger } from "../logger.ts";
import { createMcpServers } from "./create-mcp-servers.ts";
import type { McpServers } from "./mcp.ts";
import { memorySettings } from "./testing/memory-settings.ts";

const program = join(import.meta.dirname, "testing/server.test-program.ts");
const never = new AbortController().signal;
const isPosix = process.platform !== "win32";

let directory: string;
let settings: ReturnType<typeof memorySettings>;
let servers: McpServers;
const logged = vi.fn();
const children: ChildProcess[] = [];

const open = () => {
  const logger = openLogger({ directory: null, stderr: null });
  const checkTool = ({ name }: { name: string }) => {
    if (name.endsWith("__fail") && refusesFail) throw new Error("oneOf is not supported");
  };
  return createMcpServers({ settings, checkTool, logger: { ...logger, warn: logged, info: logged, error: logged } });
};
let refusesFail = false;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "corral-mcp-"));
  settings = memorySettings();
  refusesFail = false;
  logged.mockReset();
  servers = await open();
});
afterEach(async () => {
  await servers[Symbol.asyncDispose]();
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

function stdio(given: Partial<ToolServerSettings> = {}, env: Record<string, string> = {}): ToolServerSettings {
  const transport = { kind: "stdio" as const, command: process.execPath, args: [program], env };
  return { name: "notes", enabled: true, transport, timeoutMs: 20_000, ...given };
}

async function ready(name = "notes") {
  await expect
    .poll(() => servers.list().find((one) => one.settings.name === name)?.state, { timeout: 20_000 })
    .toBe("ready");
}

const call = (tool: string, args: Record<string, unknown> = {}, signal = never) =>
  servers.call(`notes__${tool}`, args, signal);

describe("a server over stdio", () => {
  test("lists its tools with safe names, and calls them", async () => {
    const notes = join(directory, "notes.txt");
    await servers.add(stdio({}, { MCP_TEST_NOTES: notes }));
    await ready();
    const tools = servers.tools();
    expect(tools.find(({ name }) => name === "notes__echo")).toMatchObject({
      server: "notes",
      description: "Says the text back.",
      readOnly: true,
      closedWorld: true,
      parameters: { type: "object", properties: { text: { type: "string" } } },
    });
    expect(tools.find(({ name }) => name === "notes__write_note")).toMatchObject({
      readOnly: false,
      closedWorld: false,
    });
    expect(await call("echo", { text: "hé" })).toEqual({ text: "hé", failed: false });
    expect(await call("write_note", { text: "buy milk" })).toEqual({ text: "written", failed: false });
    expect(readFileSync(notes, "utf8")).toBe("buy milk\n");
    expect(await call("fail")).toEqual({ text: "It is closed.", failed: true });
    await expect(servers.call("notes__gone", {}, never)).rejects.toMatchObject({ code: "TOOL_SERVER_NOT_FOUND" });
  });

  test("gets a minimal environment and its own variables, which are told to nobody and logged nowhere", async () => {
    process.env["CORRAL_TEST_SECRET"] = "host-canary";
    const added = await servers.add(stdio({}, { TOKEN: "token-canary" }));
    await ready();
    const environment = JSON.parse((await call("environment")).text) as Record<string, string>;
    expect(environment).toMatchObject({ TOKEN: "token-canary" });
    expect(JSON.stringify(environment)).not.toContain("host-canary");
    expect(added.settings.transport).toMatchObject({ env: { TOKEN: null } });
    expect(JSON.stringify(servers.list())).not.toContain("canary");
    expect(JSON.stringify(logged.mock.calls)).not.toContain("canary");
    // Changed otherwise, it keeps the value nobody could tell.
    await servers.change("notes", { ...added.settings, timeoutMs: 5_000 });
    await ready();
    expect((await call("environment")).text).toContain("token-canary");
    await expect(servers.change("notes", stdio({}, { OTHER: null as never }))).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  });

  test("that crashes costs its call, says why, and is started again by the next", async () => {
    await servers.add(stdio());
    await ready();
    await expect(call("crash")).rejects.toMatchObject({ code: "TOOL_SERVER_FAILED" });
    await expect
      .poll(() => servers.list()[0])
      .toMatchObject({ state: "failed", error: { data: { reason: /cheese/ } } });
    expect(await call("echo", { text: "again" })).toMatchObject({ text: "again" });
    expect(servers.list()[0]).toMatchObject({ state: "ready", error: null });
  });

  test("that hangs costs its call after its limit, or when it is stopped, and nothing else", async () => {
    await servers.add(stdio({ timeoutMs: 1_000 }));
    await ready();
    await expect(call("hang")).rejects.toMatchObject({ code: "TOOL_SERVER_FAILED", message: /within 1 s/ });
    const stop = new AbortController();
    const hanging = call("hang", {}, stop.signal);
    stop.abort();
    await expect(hanging).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await call("echo", { text: "still here" })).toMatchObject({ text: "still here" });
  });

  test("cannot flood the host with an answer without end", async () => {
    await servers.add(stdio());
    await ready();
    await expect(call("flood")).rejects.toMatchObject({ code: "TOOL_SERVER_FAILED" });
  });

  test("tells when its tools change; those no engine takes are refused by name", async () => {
    refusesFail = true;
    await servers.add(stdio());
    await ready();
    expect(servers.list()[0]!.refused).toEqual([{ name: "fail", reason: "oneOf is not supported" }]);
    expect(servers.tools().map(({ name }) => name)).not.toContain("notes__fail");
    await call("grow");
    await expect.poll(() => servers.tools().map(({ name }) => name)).toContain("notes__grown");
  });

  test("that is no program says so", async () => {
    const transport = { kind: "stdio" as const, command: "corral-no-such-program", args: [], env: {} };
    await servers.add(stdio({ transport }));
    await expect.poll(() => servers.list()[0]?.state, { timeout: 20_000 }).toBe("failed");
    expect(servers.list()[0]!.error?.message).toMatch(/notes could not be used: .*corral-no-such-program/u);
  });

  test.skipIf(!isPosix)("ends with the host's disposal, and takes what it started along", async () => {
    await servers.add(stdio());
    await ready();
    const { pid } = JSON.parse((await call("environment")).text) as { pid: number };
    const started = Number((await call("spawn")).text);
    await servers[Symbol.asyncDispose]();
    await expect.poll(() => [pid, started].filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });

  test.skipIf(!isPosix)("ends when the host is killed without warning", async () => {
    const host = spawn(process.execPath, [join(import.meta.dirname, "testing/host.test-program.ts"), program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(host);
    const [line] = (await once(host.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isRunning(pid)).toBe(true);
    host.kill("SIGKILL");
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  });
});

describe("a server over HTTP", () => {
  async function serve(env: Record<string, string> = {}): Promise<string> {
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, MCP_TEST_PORT: "0", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return `http://127.0.0.1:${line.toString().trim()}/mcp`;
  }
  const http = (url: string, headers: Record<string, string> = {}, confirmedOutside = false): ToolServerSettings => ({
    ...stdio({ timeoutMs: 2_000 }),
    transport: { kind: "http", url, headers, confirmedOutside },
  });

  test("lists and calls with its headers", async () => {
    await servers.add(http(await serve({ MCP_TEST_TOKEN: "Bearer t" }), { Authorization: "Bearer t" }));
    await ready();
    expect(await call("echo", { text: "over http" })).toEqual({ text: "over http", failed: false });
    expect(servers.list()[0]!.settings.transport).toMatchObject({ headers: { Authorization: null } });
    await expect(call("flood")).rejects.toMatchObject({ code: "TOOL_SERVER_FAILED" });
  });

  test("outside of this network is refused until it is confirmed, and no packet is sent", async () => {
    for (const url of ["https://example.com/mcp", "http://169.254.169.254/mcp", "http://[2001:db8::1]/mcp"]) {
      await expect(servers.add(http(url))).rejects.toMatchObject({
        code: "OUTSIDE_ADDRESS",
        data: { address: new URL(url).host },
      });
    }
    expect(servers.list()).toEqual([]);
    // 192.0.2.0/24 is kept for documentation: nobody answers there.
    const added = await servers.add({ ...http("http://192.0.2.1/mcp", {}, true), enabled: false });
    expect(added.state).toBe("off");
  });

  test("does not send us on to another place, and its secret stays with the place it was given for", async () => {
    const visits: string[] = [];
    const other = createServer((request, response) => {
      visits.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(500).end();
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const url = (await serve({ MCP_TEST_AWAY: elsewhere })).replace(/mcp$/u, "away");
    const added = await servers.add(http(url, { Authorization: "Bearer canary" }));
    await expect.poll(() => servers.list()[0]?.state, { timeout: 20_000 }).toBe("failed");
    const moved = { ...added.settings, transport: { ...added.settings.transport, url: elsewhere } };
    await expect(servers.change("notes", moved as ToolServerSettings)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(visits).toEqual([]);
    other.close();
  });
});

describe("the list of servers", () => {
  test("is kept, watched, and its names are unique", async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const watching = (async () => {
      for await (const list of servers.watch(stop.signal)) seen.push(list.length);
    })();
    await servers.add(stdio({ enabled: false }));
    await expect(servers.add(stdio())).rejects.toMatchObject({ code: "TOOL_SERVER_EXISTS" });
    await servers.change("notes", stdio({ name: "memos", enabled: false }));
    await servers[Symbol.asyncDispose]();
    servers = await open();
    expect(servers.list()).toMatchObject([{ settings: { name: "memos" }, state: "off", tools: [] }]);
    await servers.remove("memos");
    await expect(servers.remove("memos")).rejects.toMatchObject({ code: "TOOL_SERVER_NOT_FOUND" });
    expect(servers.list()).toEqual([]);
    stop.abort();
    await watching;
    expect(seen[0]).toBe(0);
    expect(seen).toContain(1);
  });

  test("restarts a server, whose tools keep their fingerprints as long as nothing changed", async () => {
    await servers.add(stdio());
    await ready();
    const before = servers.tools().map(({ fingerprint }) => fingerprint);
    const { pid } = JSON.parse((await call("environment")).text) as { pid: number };
    expect((await servers.restart("notes")).state).toBe("ready");
    expect(servers.tools().map(({ fingerprint }) => fingerprint)).toEqual(before);
    expect((await call("environment")).text).not.toContain(`"pid":${pid}}`);
    const { settings: now } = servers.list()[0]!;
    const transport = { ...now.transport, args: [program, "--other"] } as ToolServerSettings["transport"];
    await servers.change("notes", { ...now, transport });
    await ready();
    expect(servers.tools().map(({ fingerprint }) => fingerprint)).not.toEqual(before);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie nobody has collected is gone for all that matters.
    return !/^\d+ \(.*\) Z/u.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
