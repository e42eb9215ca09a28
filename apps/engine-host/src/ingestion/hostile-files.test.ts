import { execFile, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { DocumentSummary } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { makeHostileArchives } from "../ingestion-worker/testing/hostile-archives.ts";
import type { HostileFile } from "../ingestion-worker/testing/hostile-file.ts";
import { makeHostileLinks } from "../ingestion-worker/testing/hostile-links.ts";
import { makeHostilePdfs } from "../ingestion-worker/testing/hostile-pdfs.ts";
import { makeHostilePictures } from "../ingestion-worker/testing/hostile-pictures.ts";
import { openLibraryForEachTest, type LibraryRoom } from "./testing/open-library.ts";
import { drawText, makeScan, ocrData } from "./testing/scans.ts";

const room = openLibraryForEachTest();
const canary = "canary-5b1e77c0";
/** What the worker's own limit allows, and what it may grow by until it looks at it again (50 ms). Bytes. */
const workerMemory = (700 + 300) * 2 ** 20;

type Outcome = Pick<DocumentSummary, "state" | "error">;

/** Adds the files, and a good one after them; answers what became of each, by name. */
async function readAll(room: LibraryRoom, files: HostileFile[]): Promise<Map<string, Outcome>> {
  const peak = watchChildren();
  const good = await room.put("good.txt", "The patient heron stands last in line.");
  const added = await room.add(...(await Promise.all(files.map(({ name, bytes }) => room.put(name, bytes)))), good);
  const documents = await room.settled();
  expect(peak.stop()).toBeLessThan(workerMemory);
  expect((await room.found("patient heron"))[0]).toMatchObject({ document: "good.txt" });
  // What is refused by its first bytes never becomes a document.
  const outcomes = new Map<string, Outcome>(documents.map((document) => [document.name, document]));
  for (const { file, error } of added) if (error) outcomes.set(basename(file), { state: "failed", error });
  return outcomes;
}

/** The largest resident memory of any child process meanwhile. Bytes; 0 where the system does not tell. */
function watchChildren() {
  let peak = 0;
  const look = () => {
    if (process.platform !== "linux") return;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== process.pid) continue;
        peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024);
      } catch {
        // The process has ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, 25);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

function expectOutcomes(files: HostileFile[], documents: Map<string, Outcome>): void {
  const wrong = files.flatMap(({ name, outcome }) => {
    const { state, error } = documents.get(name) ?? { state: "missing" as const, error: null };
    const said = error !== null && /^\S.*[.!]$/.test(error.message);
    // Every refusal says why, in a sentence; none is a bug in the reader, and none had to be waited out.
    const refused = state === "failed" && said && error.code !== "INTERNAL" && !isTimeLimit(error.data);
    const read = state === "ready";
    const right = outcome === "refused" ? refused : outcome === "read" ? read : refused || read;
    return right ? [] : [{ name, outcome, state, error }];
  });
  expect(wrong).toEqual([]);
}

function isTimeLimit(data: unknown): boolean {
  return (data as { limit?: string } | null | undefined)?.limit === "time";
}

describe("hostile files", { timeout: 300_000 }, () => {
  it("refuses bombs and traps in archives, Office files, mail and data with a reason", async () => {
    const files = makeHostileArchives();
    expect(files.length).toBeGreaterThanOrEqual(25);
    expectOutcomes(files, await readAll(room, files));
  });

  it("refuses or reads hostile PDF files, runs nothing in them", async () => {
    await room.reopen({ bundledOcrData: ocrData });
    const visits = await openCanaryServer();
    const files = makeHostilePdfs(visits.url);
    expect(files.length).toBeGreaterThanOrEqual(30);
    expectOutcomes(files, await readAll(room, files));
    expect(await visits.close()).toBe(0);
  });

  it("refuses pictures and scans that claim too much, lie, or never end", async () => {
    await room.reopen({ bundledOcrData: ocrData });
    const files = makeHostilePictures();
    expect(files.length).toBeGreaterThanOrEqual(30);
    expectOutcomes(files, await readAll(room, files));
  });

  it("follows no link to other files and servers", async () => {
    const visits = await openCanaryServer();
    const outside = await mkdtemp(join(tmpdir(), "corral-outside-"));
    try {
      const secret = join(outside, "secret.txt");
      await writeFile(secret, `The secret is ${canary}.`);
      const files = await makeHostileLinks(linkTargets(secret, visits.url));
      expectOutcomes(files, await readAll(room, files));
      expect(await room.found(canary)).toEqual([]);
      expect(await visits.close()).toBe(0);
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it("opens nothing but the file it was given, as the system sees it", async (ctx) => {
    if (process.platform !== "linux" || spawnSync("strace", ["-e", "trace=none", "true"]).status !== 0) {
      return ctx.skip("strace is not installed, or may not be used here");
    }
    const secret = await room.put("secret.txt", canary);
    // Text recognition is on, as where its data is installed.
    await mkdir(room.path("tessdata"));
    await copyFile(join(ocrData, "eng.traineddata"), room.path("tessdata/eng.traineddata"));
    const scan = { name: "scan.pdf", bytes: await makeScan([await drawText("A scanned page.")]) };
    const files = await makeHostileLinks(linkTargets(secret, "http://127.0.0.1:9/x"));
    const pdfs = makeHostilePdfs("http://127.0.0.1:9/x").slice(0, 12);
    const paths = await Promise.all([...files, ...pdfs, scan].map(({ name, bytes }) => room.put(name, bytes)));
    const log = room.path("strace.log");
    const reader = join(import.meta.dirname, "testing/read-files.test-program.ts");
    await promisify(execFile)(
      "strace",
      [
        "-f",
        "-qq",
        "-s",
        "4096",
        "-e",
        "trace=open,openat,connect,execve",
        "-o",
        log,
        process.execPath,
        reader,
        room.path("tessdata"),
        ...paths,
      ],
      { timeout: 200_000 },
    );
    const lines = (await readFile(log, "utf8")).split("\n");
    const opened = lines.flatMap((line) => /\bopen(?:at)?\([^"]*"([^"]*)"/.exec(line)?.[1] ?? []);
    // The log does tell: every file was opened.
    for (const path of paths) expect(opened).toContain(path);
    const allowed = [
      /^\/(?:proc|sys|usr|lib|lib64|etc\/ld\.so|etc\/ssl|etc\/fonts|dev\/null|dev\/urandom)/,
      /\/node_modules\//,
    ];
    const repository = join(import.meta.dirname, "../../../..");
    const strange = opened.filter(
      (path) => !paths.includes(path) && !path.startsWith(repository) && !allowed.some((one) => one.test(path)),
    );
    expect(strange.filter((path) => /secret|canary|passwd|hosts|zero/.test(path))).toEqual([]);
    expect(strange.filter((path) => path.startsWith(room.path("")) && !path.startsWith(room.path("tessdata")))).toEqual(
      [],
    );
    expect(lines.filter((line) => line.includes("AF_INET"))).toEqual([]);
    expect(lines.filter((line) => /execve\(/.test(line) && !/\/node"/.test(line))).toEqual([]);
  });
});

function linkTargets(secret: string, url: string): string[] {
  return [
    `file://${secret}`,
    secret,
    `../${secret}`,
    "file:///dev/zero",
    "/dev/zero",
    "file:///etc/passwd",
    "\\\\127.0.0.1\\share\\secret.txt",
    "//127.0.0.1/share/secret.txt",
    "smb://127.0.0.1/share",
    "%APPDATA%\\secret.txt",
    url,
  ];
}

/** A server that counts who comes. */
async function openCanaryServer(): Promise<{ url: string; close(): Promise<number> }> {
  let visits = 0;
  const server = createServer((socket) => {
    visits++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/x.png`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
      return visits;
    },
  };
}
