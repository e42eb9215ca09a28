import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openLogger } from "./logger.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "corral-log-"))));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

const lines = (name = "corral.log") =>
  readFileSync(join(directory, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it("writes JSON lines, and from warn on a plain line to stderr", () => {
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  using log = openLogger({ directory });
  log.info("model loaded", { model: "reader", ms: 12 });
  log.warn("worker silent", { pid: 3 }, new Error("no heartbeat"));
  expect(lines()).toMatchObject([
    { level: "info", event: "model loaded", model: "reader", ms: 12 },
    { level: "warn", event: "worker silent", error: "Error: no heartbeat" },
  ]);
  expect(stderr.mock.calls.map(([text]) => text)).toEqual(["corral: worker silent: no heartbeat\n"]);
});

it("cuts an error's message short, as it may quote a document", () => {
  using log = openLogger({ directory, stderr: null });
  log.error("parse failed", {}, new Error(`Unexpected token in ${"secret ".repeat(200)}`));
  const [entry] = lines();
  expect(String(entry?.["error"]).length).toBeLessThan(260);
  expect(JSON.stringify(entry).match(/secret/g)?.length).toBeLessThan(40);
});

it("rotates by size and keeps a fixed number of files", () => {
  using log = openLogger({ directory, stderr: null, maxFileBytes: 1_000, files: 3 });
  for (let number = 0; number < 100; number++) log.info("tick", { number });
  expect(readdirSync(directory).sort()).toEqual(["corral.1.log", "corral.2.log", "corral.log"]);
  for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(1_000);
  const kept = ["corral.2.log", "corral.1.log", "corral.log"]
    .flatMap((name) => lines(name))
    .map((entry) => entry["number"]);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 100 - kept.length + index));
});

it("never stops the work being logged", () => {
  writeFileSync(join(directory, "file"), "");
  using log = openLogger({ directory: join(directory, "file/logs"), stderr: null });
  expect(() => log.fatal("disk is gone")).not.toThrow();
});
