import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const program = join(import.meta.dirname, "orphan-parent.test-program.ts");

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function isGoneSoon(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (!isAlive(pid)) return true;
    await sleep(100);
  }
  return false;
}

async function startParent() {
  const parent = spawn(process.execPath, [program, readerPath], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
  return { parent, worker: Number(line) };
}

it("a worker ends when engine-host is killed", async () => {
  const { parent, worker } = await startParent();
  expect(isAlive(worker)).toBe(true);
  parent.kill("SIGKILL");
  expect(await isGoneSoon(worker)).toBe(true);
});

it("a worker survives Ctrl+C in the terminal, so that engine-host can end it in order", async () => {
  const { parent, worker } = await startParent();
  process.kill(worker, "SIGINT");
  await sleep(500);
  expect(isAlive(worker)).toBe(true);
  parent.kill("SIGKILL");
  expect(await isGoneSoon(worker)).toBe(true);
});
