import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeServices, type FakeServices } from "../router/testing/fake-services.ts";
import { startHttpServer, type HttpServer } from "./http-server.ts";

const key = "k".repeat(43);
const api = async (request: Request) => Response.json({ answered: new URL(request.url).pathname });
let services: FakeServices;
let server: HttpServer;
let port: number;
let ui: string;

beforeEach(async () => {
  ui = await mkdtemp(join(tmpdir(), "corral-ui-"));
  await mkdir(join(ui, "dist/assets"), { recursive: true });
  await writeFile(join(ui, "secret.txt"), "outside");
  await writeFile(join(ui, "dist/index.html"), "<!doctype html><title>Corral</title>");
  await writeFile(join(ui, "dist/desktop.html"), "desktop");
  await writeFile(join(ui, "dist/assets/app-1a2b3c.js"), "console.log(1)");
  await writeFile(join(ui, "dist/assets/app-1a2b3c.js.map"), "{}");
  services = fakeServices();
  server = await startHttpServer(services, { port: 0, key, ui: join(ui, "dist"), api });
  port = Number(new URL(server.address).port);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(ui, { recursive: true });
});

const upload = (init: { query?: string; headers?: Record<string, string>; body?: string | ReadableStream } = {}) =>
  fetch(`${server.address}/api/upload?${init.query ?? "collectionId=c&name=a.txt"}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream", authorization: `Bearer ${key}`, ...init.headers },
    body: init.body ?? "hello",
    duplex: "half",
  });

describe("the web interface", () => {
  it("serves the page with a strict policy and lets it be revalidated, hashed files for ever", async () => {
    const page = await fetch(`${server.address}/`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("<title>Corral</title>");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    expect(page.headers.get("access-control-allow-origin")).toBeNull();
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain(`ws://127.0.0.1:${port}`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");

    const etag = page.headers.get("etag") ?? "";
    const again = await fetch(`${server.address}/`, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    const script = await fetch(`${server.address}/assets/app-1a2b3c.js`);
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(script.headers.get("cache-control")).toContain("immutable");
  });

  it("serves nothing but the files it read at start", async () => {
    await writeFile(join(ui, "dist/later.txt"), "later");
    const paths = [
      "/later.txt",
      "/desktop.html",
      "/assets/app-1a2b3c.js.map",
      "/../secret.txt",
      "/assets/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/assets/..%5c..%5csecret.txt",
      "//etc/passwd",
      "/etc/passwd",
      "/index.html%00.js",
      "/assets/",
      "/assets",
    ];
    for (const path of paths) {
      const status = await new Promise((resolve) => {
        httpRequest({ port, host: "127.0.0.1", path }, (response) => resolve(response.resume().statusCode)).end();
      });
      expect([path, status]).toEqual([path, 404]);
    }
  });

  it("says how to build the interface when it is missing", async () => {
    await using bare = await startHttpServer(services, { port: 0, key, ui: join(ui, "nothing"), api });
    expect(bare.hasUi).toBe(false);
    const page = await fetch(`${bare.address}/`);
    expect(page.status).toBe(503);
    expect(await page.text()).toContain("npm run build");
  });

  it("answers health without a key and says nothing else", async () => {
    const health = await fetch(`${server.address}/api/health`);
    expect(await health.json()).toEqual({ status: "ok" });
  });
});

describe("uploads", () => {
  it("stream to the library", async () => {
    const answer = await upload({ body: "hello" });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ file: "a.txt", outcome: "added", document: null, error: null });
    expect(services.uploads).toEqual([{ name: "a.txt", bytes: 5, outcome: "whole" }]);
  });

  it("need the key, our origin and a type no form can send", async () => {
    const cases: [Parameters<typeof upload>[0], number][] = [
      [{ headers: { authorization: "" } }, 401],
      [{ headers: { authorization: `Bearer ${"x".repeat(43)}` } }, 401],
      [{ headers: { authorization: key } }, 401],
      [{ headers: { authorization: "" }, query: `collectionId=c&name=a.txt&key=${key}` }, 401],
      [{ headers: { origin: "https://evil.test" } }, 403],
      [{ headers: { origin: "null" } }, 403],
      [{ headers: { "content-type": "text/plain" } }, 415],
      [{ headers: { "content-type": "multipart/form-data; boundary=x" } }, 415],
      [{ headers: { "content-type": "application/x-www-form-urlencoded" } }, 415],
      [{ query: "collectionId=c" }, 400],
      [{ query: "name=a.txt" }, 400],
      [{ query: `collectionId=c&name=${"x".repeat(300)}` }, 400],
      [{ body: "x".repeat((1 << 20) + 1) }, 413],
    ];
    for (const [init, status] of cases) expect([init, (await upload(init)).status]).toEqual([init, status]);
    expect(services.uploads).toEqual([]);
  });

  it("answer a failure of the library as the contract does", async () => {
    const { CorralError } = await import("@corral/protocol");
    services.overrides.set("library.addUpload", () => {
      throw new CorralError("COLLECTION_NOT_FOUND", "There is no such collection.", { collection: "c" });
    });
    const answer = await upload();
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      error: { code: "COLLECTION_NOT_FOUND", message: "There is no such collection.", data: { collection: "c" } },
    });
    services.overrides.set("library.addUpload", () => {
      throw new Error("secret path /home/x");
    });
    const masked = await upload();
    expect(masked.status).toBe(500);
    expect(await masked.text()).not.toContain("secret");
  });

  it("end broken when the client goes away, with and without a declared length", async () => {
    for (const length of ["Content-Length: 100000", "Transfer-Encoding: chunked"]) {
      services.uploads.length = 0;
      const head = [
        `POST /api/upload?collectionId=c&name=a.txt HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        `Authorization: Bearer ${key}`,
        "Content-Type: application/octet-stream",
        length,
      ];
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      const part = "x".repeat(1000);
      socket.write(`${head.join("\r\n")}\r\n\r\n${length.startsWith("T") ? `3e8\r\n${part}\r\n` : part}`);
      await expect.poll(() => services.uploads[0]?.bytes).toBe(1000);
      socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(services.uploads[0]?.outcome).toBe("broken");
    }
    expect((await fetch(`${server.address}/api/health`)).status).toBe(200);
  });

  it("are cut when the server stops", async () => {
    const endless = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.enqueue(new Uint8Array(10));
      },
    });
    const answer = upload({ body: endless }).catch(() => "cut");
    await expect.poll(() => services.uploads.length).toBe(1);
    await server[Symbol.asyncDispose]();
    expect(await answer).toBe("cut");
    expect(services.uploads[0]?.outcome).toBe("broken");
    server = await startHttpServer(services, { port: 0, key, ui: null, api });
  });
});

describe("the API for programs", () => {
  it("gets the requests to its paths, after Host and Origin were checked", async () => {
    for (const path of ["/v1/models", "/v1/chat/completions", "/health", "/metrics"]) {
      const answer = await fetch(`${server.address}${path}`, { method: path.startsWith("/v1/chat") ? "POST" : "GET" });
      expect(await answer.json()).toEqual({ answered: path });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
    const foreign = { headers: { origin: "https://evil.test" } };
    expect((await fetch(`${server.address}/v1/models`, foreign)).status).toBe(403);
    expect((await fetch(`${server.address}/health`, foreign)).status).toBe(403);
    const rebound = await new Promise((resolve) => {
      const headers = { host: "evil.test" };
      httpRequest({ port, host: "127.0.0.1", path: "/v1/models", headers }, (response) =>
        resolve(response.resume().statusCode),
      ).end();
    });
    expect(rebound).toBe(421);
  });
});

describe("the port", () => {
  it("is refused with one sentence when another program has it", async () => {
    await expect(startHttpServer(services, { port, key, ui: null, api })).rejects.toMatchObject({
      code: "PORT_IN_USE",
      data: { port },
      message: expect.stringContaining("--port") as string,
    });
  });

  it("is only reachable on the loopback interface", async () => {
    const probe = createServer();
    // Another address of this machine on the same port is still free.
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen({ port, host: "127.0.0.2" }, resolve);
    });
    await new Promise((resolve) => probe.close(resolve));
  });
});
