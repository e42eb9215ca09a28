import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants, getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLimits } from "./reading-queue.ts";
import { longPdf, makePdf } from "./testing/pdf-files.ts";
import { WorkerPool } from "./worker-pool.ts";
import { WorkerProcess } from "./worker-process.ts";

const memory = 2 ** 30;
const never = new AbortController().signal;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-worker-"));
  await writeFile(join(folder, "short.pdf"), await makePdf(["A short page."]));
  await writeFile(join(folder, "long.pdf"), longPdf());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const read = (name: string) => ({
  ...{ type: "read" as const, format: "pdf" as const, limits: readLimits, recognition: null },
  path: join(folder, name),
});

describe("an ingestion worker", { timeout: 60_000 }, () => {
  it("does one job after the other in the same process, also after a file it could not read", async () => {
    await using worker = new WorkerProcess(memory);
    const options = { timeoutMs: 60_000, signal: never };
    const { pid } = worker;
    await worker.run(read("short.pdf"), options);
    // It gives way to engines that write replies.
    expect(getPriority(pid)).toBeGreaterThanOrEqual(constants.priority.PRIORITY_BELOW_NORMAL);
    await expect(worker.run(read("missing.pdf"), options)).rejects.toMatchObject({ reason: { kind: "unreadable" } });
    await worker.run(read("short.pdf"), options);
    expect([worker.pid, worker.dead]).toEqual([pid, false]);
  });

  it("is killed when its job takes too long or is cancelled, and is then of no more use", async () => {
    await using slow = new WorkerProcess(memory);
    await expect(slow.run(read("long.pdf"), { timeoutMs: 300, signal: never })).rejects.toMatchObject({
      reason: { kind: "limit", limit: "time" },
    });
    expect(slow.dead).toBe(true);
    await expect(slow.run(read("short.pdf"), { timeoutMs: 60_000, signal: never })).rejects.toThrow("unreadable");

    await using cancelled = new WorkerProcess(memory);
    const stop = new AbortController();
    const job = cancelled.run(read("long.pdf"), {
      timeoutMs: 60_000,
      signal: stop.signal,
      onPart: () => stop.abort(new Error("not wanted any more")),
    });
    await expect(job).rejects.toThrow("not wanted any more");
    expect(cancelled.dead).toBe(true);
  });

  it("has no network, writes no files and starts no programs", async () => {
    const seal = pathToFileURL(join(import.meta.dirname, "../ingestion-worker/seal-process.ts")).href;
    const program = `
      import { denyNetwork } from ${JSON.stringify(seal)};
      import { spawnSync } from "node:child_process";
      import dns from "node:dns";
      import { writeFileSync } from "node:fs";
      import http from "node:http";
      import net from "node:net";
      denyNetwork();
      const attempts = {
        fetch: () => fetch("http://127.0.0.1:9/"),
        connect: () => net.connect(9, "127.0.0.1"),
        http: () => new Promise((resolve, reject) => http.get("http://127.0.0.1:9/", resolve).on("error", reject)),
        lookup: () => dns.promises.lookup("localhost"),
        write: () => writeFileSync(${JSON.stringify(join(folder, "written"))}, "x"),
        spawn: () => spawnSync("true"),
      };
      const outcomes = {};
      for (const [name, attempt] of Object.entries(attempts)) {
        try { await attempt(); outcomes[name] = "allowed"; } catch (error) { outcomes[name] = error.message; }
      }
      console.log(JSON.stringify(outcomes));`;
    await writeFile(join(folder, "attempts.mjs"), program);
    const flags = [
      "--permission",
      "--allow-fs-read=*",
      "--allow-addons",
      "--allow-worker",
      "--disable-warning=SecurityWarning",
    ];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, join(folder, "attempts.mjs")]);
    const denied = "The ingestion worker has no network.";
    expect(JSON.parse(stdout)).toEqual({
      ...{ fetch: denied, connect: denied, http: denied, lookup: denied },
      ...{ write: expect.stringContaining("restricted"), spawn: expect.stringContaining("restricted") },
    });
  });
});

describe("the worker pool", { timeout: 60_000 }, () => {
  it("does not let drawing wait behind reading, and drops waiting jobs that are cancelled", async () => {
    await using pool = new WorkerPool({ readers: 1 });
    const stop = new AbortController();
    const options = { timeoutMs: 60_000, signal: stop.signal };
    const long = pool.read(read("long.pdf"), options);
    const waiting = new AbortController();
    const next = pool.read(read("short.pdf"), { timeoutMs: 60_000, signal: waiting.signal });
    waiting.abort(new Error("dropped"));
    await expect(next).rejects.toThrow("dropped");
    const picture = {
      type: "render" as const,
      format: "pdf" as const,
      path: join(folder, "short.pdf"),
      page: 1,
      scale: 1,
    };
    const first = await Promise.race([pool.render(picture, { timeoutMs: 60_000, signal: never }), long]);
    expect(first).toBeInstanceOf(Uint8Array);
    const after = pool.read(read("short.pdf"), { timeoutMs: 60_000, signal: never });
    stop.abort(new Error("stopped"));
    await expect(long).rejects.toThrow("stopped");
    expect(await after).toMatchObject({ type: "read", paged: true });
  });
});
