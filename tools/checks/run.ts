/**
 * `npm test`: every check of the repository, one after the other, whatever fails on the way. The last line is always
 * `N passed, M failed, K skipped`, where each static check counts as one and each test as one.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Tally } from "./tally-reporter.ts";

const root = resolve(import.meta.dirname, "../..");
/** Names of npm scripts. */
const staticChecks = ["format", "lint", "types", "deadcode"];
const testRuns = ["test:unit", "test:model", "test:e2e"];
/** A step that takes longer hangs. ms. */
const stepLimit = 8 * 60_000;

interface StepResult extends Tally {
  step: string;
  seconds: number;
  /** What a step that was not shown live printed. */
  output: string;
}

/** Runs an npm script to its end. Its own process group, so that a step that hangs takes its children along. */
function runScript(name: string, extra: string[], environment: NodeJS.ProcessEnv, isLive: boolean) {
  return new Promise<{ isSuccess: boolean; output: string }>((resolveRun) => {
    const child = spawn("npm", ["run", "--silent", name, ...(extra.length > 0 ? ["--", ...extra] : [])], {
      cwd: root,
      env: environment,
      stdio: ["ignore", isLive ? "inherit" : "pipe", isLive ? "inherit" : "pipe"],
      detached: process.platform !== "win32",
      shell: process.platform === "win32",
    });
    let output = "";
    child.stdout?.on("data", (text: Buffer) => (output += text.toString()));
    child.stderr?.on("data", (text: Buffer) => (output += text.toString()));
    const killGroup = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    };
    const timer = setTimeout(() => {
      output += `\nStopped: it ran longer than ${stepLimit / 60_000} minutes.\n`;
      killGroup();
    }, stepLimit);
    process.once("exit", killGroup);
    const settle = (isSuccess: boolean) => {
      clearTimeout(timer);
      process.off("exit", killGroup);
      resolveRun({ isSuccess, output });
    };
    child.once("error", (error) => {
      output += String(error);
      settle(false);
    });
    child.once("close", (code) => settle(code === 0));
  });
}

function show({ step, passed, failed, skipped, seconds, output }: StepResult) {
  if (failed > 0 && output.trim() !== "") console.log(`\n${output.trimEnd()}\n`);
  const counts = testRuns.includes(step) ? ` (${passed} passed, ${failed} failed, ${skipped.length} skipped)` : "";
  console.log(`${failed > 0 ? "FAILED" : "ok    "}  ${step}${counts}, ${seconds.toFixed(1)} s`);
  for (const line of skipped) console.log(`        skipped: ${line}`);
}

async function runStaticCheck(step: string): Promise<StepResult> {
  const start = performance.now();
  const { isSuccess, output } = await runScript(step, [], process.env, false);
  const seconds = (performance.now() - start) / 1000;
  const result = { step, passed: isSuccess ? 1 : 0, failed: isSuccess ? 0 : 1, skipped: [], seconds, output };
  show(result);
  return result;
}

async function runTests(step: string, scratch: string): Promise<StepResult> {
  const start = performance.now();
  const file = join(scratch, `${step.replace(":", "-")}.json`);
  const reporters = ["--reporter=default", "--reporter=./tools/checks/tally-reporter.ts"];
  console.log(`\n${step}`);
  const { isSuccess, output } = await runScript(step, reporters, { ...process.env, CORRAL_TALLY_FILE: file }, true);
  const tally: Tally = { passed: 0, failed: 0, skipped: [] };
  try {
    Object.assign(tally, JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // The run ended before it could count; it then did not succeed either.
  }
  if (!isSuccess && tally.failed === 0) tally.failed = 1;
  if (isSuccess && tally.passed === 0) tally.failed = 1;
  const result = { step, ...tally, seconds: (performance.now() - start) / 1000, output };
  show(result);
  return result;
}

async function main() {
  const scratch = mkdtempSync(join(tmpdir(), "corral-checks-"));
  const results: StepResult[] = [];
  try {
    // Two at a time: each of them uses one core.
    const waiting = [...staticChecks];
    const worker = async () => {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift())
        results.push(await runStaticCheck(step));
    };
    await Promise.all([worker(), worker()]);
    for (const step of testRuns) results.push(await runTests(step, scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }

  console.log("\nSummary");
  for (const result of results) show({ ...result, output: "" });
  const sum = (of: (result: StepResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const failed = sum((result) => result.failed);
  process.exitCode = failed > 0 ? 1 : 0;
  console.log(
    `${sum((result) => result.passed)} passed, ${failed} failed, ${sum((result) => result.skipped.length)} skipped`,
  );
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
await main();
