import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { listPackage } from "@electron/asar";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stageApp } from "../tools/stage-app.ts";

/**
 * Packs the app with the real electron-builder and a stand-in for Electron's binary (which cannot be fetched here), then
 * runs the packed engine-host with the packed Node, away from the repository.
 */
const repository = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

let work: string;
let unpacked: string;
let resources: string;

/** A file electron-builder takes for Electron: it looks for the fuse sentinel in the binary and flips the bytes after it. */
async function writeElectronStandIn(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const sentinel = "dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX";
  const defaultWire = Buffer.concat([Buffer.from(sentinel), Buffer.from([1, 9]), Buffer.from("101100011")]);
  await writeFile(join(directory, "electron"), Buffer.concat([Buffer.from("#!/bin/sh\nexit 0\n"), defaultWire]), {
    mode: 0o755,
  });
  await writeFile(join(directory, "version"), await electronVersion());
}

async function electronVersion(): Promise<string> {
  const manifest = await readFile(join(repository, "node_modules/electron/package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Runs the packed command line. */
async function corral(...words: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(
    join(resources, "node/node"),
    [join(resources, "engine-host/corral.js"), ...words, "--data", join(work, "data"), "--json"],
    { cwd: work, env: { PATH: "/usr/bin:/bin", HOME: work }, maxBuffer: 16 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("the packed app", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "corral-package-"));
    await stageApp(join(work, "dist/stage"), ["cpu"]);
    await writeElectronStandIn(join(work, "electron"));
    const configuration = await readFile(join(repository, "electron-builder.yml"), "utf8");
    await writeFile(join(work, "electron-builder.yml"), configuration);
    await writeFile(join(work, "package.json"), JSON.stringify({ name: "corral", version: "0.1.0", private: true }));
    await run(
      process.execPath,
      [
        join(repository, "node_modules/electron-builder/cli.js"),
        "--linux",
        "dir",
        "--config",
        "electron-builder.yml",
        `-c.electronDist=${join(work, "electron")}`,
        `-c.electronVersion=${await electronVersion()}`,
      ],
      { cwd: work, maxBuffer: 64 * 1024 * 1024 },
    );
    unpacked = join(work, "dist/package/linux-unpacked");
    resources = join(unpacked, "resources");
  }, 300_000);

  afterAll(() => rm(work, { recursive: true, force: true }));

  test("has the shell alone in the asar, as built files", () => {
    const inside = listPackage(join(resources, "app.asar"), { isPack: false }).map((file) =>
      file.replaceAll("\\", "/"),
    );
    expect(inside.sort()).toEqual(["/main.js", "/package.json", "/preload.cjs"]);
  });

  test("has native files, Node and what other processes read outside the asar", async () => {
    const files = await readdir(join(resources, "engine-host"), { recursive: true });
    const native = files.filter((file) => file.endsWith(".node"));
    expect(native.some((file) => file.includes("node-llama-cpp"))).toBe(true);
    expect(native.some((file) => file.includes("liteparse"))).toBe(true);
    for (const entry of [
      "corral.js",
      "inference-worker.js",
      "ingestion-worker.js",
      "store-thread.js",
      "mcp-supervise.js",
    ]) {
      expect(files).toContain(entry);
    }
    expect(files.filter((file) => /\.test\.|\.ts$|\.map$/.test(file))).toEqual([]);
    for (const part of [
      "node/node",
      "ui/index.html",
      "ui/desktop.html",
      "corral/reader-model/corral-reader-q8_0.gguf",
    ]) {
      expect(existsSync(join(resources, part)), part).toBe(true);
    }
  });

  test("has the fuses flipped to what reliability.md E-01 wants", async () => {
    const binary = await readFile(join(unpacked, "corral"));
    const wire = binary.subarray(binary.indexOf("dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX") + 34).toString("latin1");
    expect(wire.slice(0, 9)).toBe("010011001");
  });

  test("reads a document and answers a question under the packed Node 24", async () => {
    const document = join(work, "gate.md");
    await writeFile(
      document,
      "# Visitors\n\nVisitors sign the green book at the gate.\n\nThe gate closes at 18:30 from October to March.\n",
    );
    await corral("docs", "add", document, "--collection", "c");
    const answer = (await corral("ask", "When does the gate close in winter?", "--collection", "c")) as {
      answer: string;
      citations: { document: string; quote: string }[];
    };
    expect(answer.answer).toContain("The gate closes at 18:30 from October to March.");
    expect(answer.citations[0]).toMatchObject({ document: "gate.md" });
  });
});
