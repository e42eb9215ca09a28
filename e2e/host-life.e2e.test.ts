import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectSocket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CorralClient, type FromHost, PROTOCOL_VERSION } from "@corral/protocol";
import { connectToRunning } from "../apps/engine-host/src/cli/host-client.ts";
import { corral, descendantsOf, exitOf, isAlive, serve, type Serving } from "./run-corral.ts";

const isLinux = process.platform === "linux";
let root: string;
let data: string;
let lifetime: AbortController;
const children: ChildProcess[] = [];

beforeEach(() => {
  lifetime = new AbortController();
  root = mkdtempSync(join(tmpdir(), "corral-life-"));
  data = join(root, "data");
});
afterEach(async () => {
  lifetime.abort();
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await exitOf(child);
  }
  rmSync(root, { recursive: true, force: true });
});

async function started(args?: string[]): Promise<Serving> {
  const serving = await serve(data, args);
  children.push(serving.child);
  return serving;
}

/** A program of the owner talks to the running host. */
async function connect(): Promise<CorralClient> {
  const session = await connectToRunning({ dataDirectory: data, signal: lifetime.signal });
  if (!session) throw new Error("No host answers.");
  return session.client;
}

/** A collection with one text in it that can be asked about. */
async function withDocument(): Promise<void> {
  writeFileSync(
    join(root, "dog.txt"),
    "The guard dog is called Rufus. Visitors sign in at the front desk before nine.\n",
  );
  const added = await corral(["docs", "add", join(root, "dog.txt"), "--collection", "c", "--data", data]);
  expect(added).toMatchObject({ code: 0 });
}

async function ask(client: CorralClient) {
  const collections = await client.library.collections();
  const sources = { collectionIds: collections.map(({ id }) => id), documentIds: [] };
  const conversation = await client.conversations.create({ settings: { sources } });
  const sent = await client.chat.send({ conversationId: conversation.id, text: "What is the guard dog called?" });
  return { conversationId: conversation.id, reply: sent.reply };
}

describe("corral serve", () => {
  it("answers commands on its data directory, survives kill -9, and marks the unfinished reply as interrupted", async () => {
    const first = await started();
    await withDocument();
    const whileRunning = await corral(["ask", "What is the guard dog called?", "--data", data, "--json"]);
    expect(whileRunning.json()).toMatchObject({ answer: expect.stringContaining("Rufus") as string });
    // The command's own conversation is gone, and the answer came from the running host.
    const client = await connect();
    expect(await client.conversations.list({ search: "" })).toEqual([]);

    const { conversationId, reply } = await ask(client);
    expect(reply.state).toBe("streaming");
    const family = isLinux ? descendantsOf(first.pid) : [];
    if (isLinux) expect(family.length).toBeGreaterThan(0);
    first.child.kill("SIGKILL");
    await exitOf(first.child);
    // No worker outlives its host.
    await expect.poll(() => family.filter(isAlive), { timeout: 5_000, interval: 100 }).toEqual([]);

    await started();
    const again = await connect();
    const { messages } = await again.conversations.get({ conversationId });
    expect(messages.map(({ role, state }) => [role, state])).toEqual([
      ["user", "complete"],
      ["assistant", "interrupted"],
    ]);
    const next = await corral(["ask", "What is the guard dog called?", "--data", data, "--json"]);
    expect(next.json()).toMatchObject({ answer: expect.stringContaining("Rufus") as string });
  });

  it("ends the calls of a command with a clear error when it is killed", async () => {
    const serving = await started();
    const client = await connect();
    const events = await client.library.watch(undefined);
    const waiting = Promise.all([events.next(), events.next()]);
    const ended = expect(waiting).rejects.toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringMatching(/stopped before it was done.*run the command again/) as string,
    });
    serving.child.kill("SIGKILL");
    await ended;
  });

  it("stops cleanly on SIGTERM and SIGINT: replies are saved, workers gone, directory free", async () => {
    await withDocument();
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const serving = await started();
      const client = await connect();
      const { reply } = await ask(client);
      expect(reply.state).toBe("streaming");
      const family = isLinux ? descendantsOf(serving.pid) : [];
      serving.child.kill(signal);
      expect(await exitOf(serving.child)).toBe(0);
      expect(family.filter(isAlive)).toEqual([]);
      const listed = await corral(["docs", "list", "--data", data, "--json"]);
      expect(listed.json()).toMatchObject({ documents: [{ name: "dog.txt", state: "ready" }] });
    }
    await started();
    const client = await connect();
    for (const { id } of await client.conversations.list({ search: "" })) {
      const { messages } = await client.conversations.get({ conversationId: id });
      expect(messages.at(-1)?.state).not.toBe("streaming");
    }
  });

  it("is the only one on its data directory; a second start says who holds it", async () => {
    const first = await started();
    const second = await corral(["serve", "--port", "0", "--data", data, "--json"]);
    expect(second.code).toBe(1);
    expect(second.json()).toMatchObject({
      error: {
        code: "DATA_DIRECTORY_IN_USE",
        data: { directory: data, pid: first.pid, since: expect.any(String) as string, address: first.address },
      },
    });
    const spoken = await corral(["serve", "--data", data]);
    expect(spoken.stderr).toMatch(new RegExp(`^corral: [^\\n]*process ${first.pid}[^\\n]*${first.address}[^\\n]*\\n$`));
    expect((await fetch(`${first.address}/api/health`)).status).toBe(200);
  });

  it("says so when its port is taken, and picks the next one when none was asked for", async () => {
    const other = createServer();
    // Also taken when something else of this machine has the default port already.
    const isOurs = await new Promise<boolean>((resolve) => {
      other.once("error", () => resolve(false));
      other.listen(7410, "127.0.0.1", () => resolve(true));
    });
    try {
      const refused = await corral(["serve", "--port", "7410", "--data", data, "--json"]);
      expect(refused.code).toBe(1);
      expect(refused.json()).toMatchObject({ error: { code: "PORT_IN_USE", data: { port: 7410 } } });
      const moved = await started([]);
      expect(Number(new URL(moved.address).port)).toBeGreaterThan(7410);
      expect(moved.stderr()).toContain("Port 7410 is taken");
    } finally {
      if (isOurs) other.close();
    }
  });

  it.runIf(isLinux)(
    "ends with a failure, in order, when something was thrown where nobody could catch it",
    async () => {
      await withDocument();
      const bomb = `process.on("SIGUSR2", () => void Promise.reject(new Error("boom")))`;
      const serving = await serve(data, ["--port", "0"], {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bomb)}`,
      });
      children.push(serving.child);
      await ask(await connect());
      const family = descendantsOf(serving.pid);
      serving.child.kill("SIGUSR2");
      expect(await exitOf(serving.child)).toBe(1);
      expect(serving.stderr()).toContain("corral: unhandled rejection: boom");
      expect(readFileSync(join(data, "logs/corral.log"), "utf8")).toMatch(/"level":"fatal".*boom/);
      await expect.poll(() => family.filter(isAlive), { timeout: 5_000 }).toEqual([]);
      expect((await corral(["docs", "list", "--data", data])).code).toBe(0);
    },
  );

  it("keeps nothing of an upload whose sender went away", async () => {
    const serving = await started();
    const client = await connect();
    const { id } = await client.library.createCollection({ name: "c" });
    const key = new URL(serving.url).hash.slice("#key=".length);
    const { host, port } = new URL(serving.address);
    const head = [
      `POST /api/upload?collectionId=${id}&name=half.txt HTTP/1.1`,
      `Host: ${host}`,
      `Authorization: Bearer ${key}`,
      "Content-Type: application/octet-stream",
      "Content-Length: 1000000",
    ];
    const socket = connectSocket(Number(port), "127.0.0.1");
    socket.write(`${head.join("\r\n")}\r\n\r\n${"text ".repeat(20_000)}`);
    const files = () => readdirSync(data, { recursive: true, encoding: "utf8" }).filter((name) => /^files./.test(name));
    await expect.poll(() => files().length, { timeout: 10_000 }).toBeGreaterThan(0);
    socket.destroy();
    await expect.poll(files, { timeout: 10_000 }).toEqual([]);
    expect(await client.library.documents({})).toEqual([]);

    const query = `collectionId=${id}&name=whole.txt`;
    const whole = await fetch(`${serving.address}/api/upload?${query}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/octet-stream" },
      body: "The whole text of a file.",
    });
    expect(await whole.json()).toMatchObject({ file: "whole.txt", outcome: "added" });
  });

  it("writes neither the key nor what was asked into its log", async () => {
    const serving = await started();
    await withDocument();
    const client = await connect();
    const { reply } = await ask(client);
    for await (const part of await client.chat.follow({ messageId: reply.id })) if (part.type === "finish") break;
    const key = new URL(serving.url).hash.slice("#key=".length);
    serving.child.kill("SIGTERM");
    await exitOf(serving.child);
    const log = readFileSync(join(data, "logs/corral.log"), "utf8");
    expect(log).toContain("host started");
    for (const secret of [key, "guard dog", "Rufus"]) expect(log).not.toContain(secret);
  });
});

describe("a command on its own", () => {
  it("waits for another command that has the directory, and both succeed", async () => {
    await withDocument();
    const results = await Promise.all([
      corral(["search", "guard", "--data", data, "--json"]),
      corral(["search", "visitors", "--data", data, "--json"]),
      corral(["docs", "list", "--data", data, "--json"]),
    ]);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  it("cancels on Ctrl-C: one line, exit code 130, and the directory is free at once", async () => {
    await withDocument();
    const program = fileURLToPath(new URL("../apps/engine-host/bin/corral.mjs", import.meta.url));
    const asking = spawn(process.execPath, [program, "ask", "What is the guard dog called?", "--data", data], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(asking);
    let stderr = "";
    await new Promise<void>((resolve) => {
      asking.stderr.on("data", (part: Buffer) => {
        stderr += part.toString();
        if (stderr.includes("Loading the model")) resolve();
      });
    });
    asking.kill("SIGINT");
    expect(await exitOf(asking)).toBe(130);
    expect(stderr).toMatch(/corral: Cancelled\.\n$/);
    const listed = await corral(["docs", "list", "--data", data, "--json"]);
    expect(listed.code).toBe(0);
  });
});

describe("the desktop app's child", () => {
  const program = fileURLToPath(new URL("../apps/engine-host/bin/corral.mjs", import.meta.url));

  function startChild(directory: string) {
    const child = fork(program, ["host", "--ipc", "--data", directory], { serialization: "advanced", stdio: "pipe" });
    children.push(child);
    const frames: FromHost[] = [];
    child.on("message", (message) => frames.push(message as FromHost));
    return { child, frames };
  }

  it("beats, says ready, answers a page over its link, lets commands in, and stops when asked", async () => {
    const { child, frames } = startChild(data);
    await expect.poll(() => frames.map(({ type }) => type), { timeout: 30_000 }).toContain("ready");
    expect(frames[0]).toEqual({ type: "heartbeat" });
    child.send({ type: "link-open", link: 1 });
    const hello = { protocolVersion: PROTOCOL_VERSION, client: "test" };
    child.send({
      type: "link-data",
      link: 1,
      data: JSON.stringify({ i: "1", p: { u: "/system/handshake", b: { json: hello } } }),
    });
    await expect.poll(() => frames.filter(({ type }) => type === "link-data").length).toBe(1);
    const answer = frames.find((frame) => frame.type === "link-data");
    expect(JSON.parse(answer?.data as string)).toMatchObject({ i: "1", p: { b: { json: { shell: "desktop" } } } });

    const listed = await corral(["docs", "list", "--data", data, "--json"]);
    expect(listed.json()).toEqual({ documents: [] });
    child.send({ type: "shutdown" });
    expect(await exitOf(child)).toBe(0);
  });

  it("goes away with the app, however that ended", async () => {
    const { child, frames } = startChild(data);
    await expect.poll(() => frames.map(({ type }) => type), { timeout: 30_000 }).toContain("ready");
    child.disconnect();
    expect(await exitOf(child)).toBe(0);
  });

  it("says what the user can mend when it cannot start", async () => {
    writeFileSync(join(root, "a-file"), "");
    const { child, frames } = startChild(join(root, "a-file"));
    expect(await exitOf(child)).toBe(1);
    expect(frames.at(-1)).toMatchObject({ type: "failed", code: "DATA_DIRECTORY_NOT_WRITABLE" });
  });
});
