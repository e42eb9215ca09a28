import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createHardware } from "./read-hardware.ts";
import { openFakeMachine } from "./testing/fake-machine.ts";
import { withinTime } from "./timeout.ts";

const mebibyte = 2 ** 20;

describe.skipIf(process.platform === "win32")("tools that misbehave", () => {
  it("hang, with a child that holds the pipe: the time, a note, nothing left running", async () => {
    await using machine = await openFakeMachine("no-gpu");
    await machine.setTool("nvidia-smi", `/bin/sleep 60 & echo $! >> '${machine.folder}/sleepers'; wait`);
    await machine.setTool("amd-smi", "exec /bin/sleep 60");
    const hardware = createHardware({ ...machine.options, timeoutMs: 300 });
    const { notes, cpu } = await hardware.snapshot();
    expect(notes).toContainEqual(expect.stringMatching(/^nvidia-smi did not answer within 0\.3 s.*persistence/));
    expect(notes).toContainEqual("amd-smi did not answer within 0.3 s.");
    expect(notes).toHaveLength(2);
    expect(cpu.name).not.toBe("");
    const sleepers = (await readFile(join(machine.folder, "sleepers"), "utf8")).trim().split("\n").map(Number);
    expect(sleepers.length).toBeGreaterThan(0);
    if (process.platform !== "linux") return;
    await expect.poll(async () => (await Promise.all(sleepers.map(isRunning))).includes(true)).toBe(false);
  });

  it("print without end: cut off with a note", async () => {
    await using machine = await openFakeMachine("no-gpu");
    await machine.setTool("nvidia-smi", "while :; do echo 0, GPU-aaaa, flood flood flood flood flood flood; done");
    const { gpus, notes } = await createHardware(machine.options).snapshot();
    expect(gpus).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/nvidia-smi .*more than 1 MiB/)]);
  });

  it("fail in parts: what the others tell stays", async () => {
    await using machine = await openFakeMachine("2x-rtx-3090-nvlink");
    await machine.setTool(
      "nvidia-smi",
      `case "$*" in --query-gpu*) show nvidia-smi.query-gpu.csv ;; "topo -m") exec /bin/sleep 60 ;; *) echo broken; exit 3 ;; esac`,
    );
    const { gpus, notes } = await createHardware({ ...machine.options, timeoutMs: 300 }).snapshot();
    expect(gpus.map(({ totalBytes, peers }) => [totalBytes, peers])).toEqual([
      [24_576 * mebibyte, []],
      [24_576 * mebibyte, []],
    ]);
    expect(notes.join(" ")).toContain("nvidia-smi topo -m did not answer within 0.3 s.");
  });

  it("are too old for a field: asked again without it", async () => {
    await using machine = await openFakeMachine("1x-rtx-4090");
    await machine.setTool(
      "nvidia-smi",
      `case "$*" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2 ;; --query-gpu*) show nvidia-smi.query-gpu.csv ;; esac`,
    );
    const { gpus } = await createHardware(machine.options).snapshot();
    expect(gpus[0]?.totalBytes).toBe(24_564 * mebibyte);
  });

  it("answer in the user's language unless asked for C: numbers keep their points", async () => {
    await using machine = await openFakeMachine(null);
    await machine.setTool(
      "nvidia-smi",
      `case "$*" in --query-gpu*) [ "$LC_ALL" = C ] && p=23.44 || p=23,44; printf 'index, uuid, memory.total [MiB], power.draw [W], name\\r\\n0, GPU-a, 24564, %s, Card\\r\\n' $p ;; esac`,
    );
    const environment = { ...machine.options.environment, LC_ALL: "de_DE.UTF-8" };
    const { gpus } = await createHardware({ ...machine.options, environment }).snapshot();
    expect(gpus[0]).toMatchObject({ powerWatts: 23.44, totalBytes: 24_564 * mebibyte, name: "Card" });
  });

  it("are stopped with the caller", async () => {
    await using machine = await openFakeMachine(null);
    await machine.setTool("nvidia-smi", "exec /bin/sleep 60");
    const controller = new AbortController();
    const snapshot = createHardware({ ...machine.options, timeoutMs: 20_000 }).snapshot(controller.signal);
    setTimeout(() => controller.abort(), 50);
    await expect(snapshot).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(createHardware(machine.options).snapshot(AbortSignal.abort())).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });
});

describe("withinTime", () => {
  it("gives the value, or null with one note", async () => {
    const notes: string[] = [];
    const note = (sentence: string) => notes.push(sentence);
    expect(await withinTime(1000, "It", note, () => Promise.resolve(7))).toBe(7);
    expect(await withinTime(20, "It", note, () => new Promise(() => undefined))).toBeNull();
    expect(await withinTime(1000, "It", note, () => Promise.reject(new Error("broken")))).toBeNull();
    expect(notes).toEqual(["It did not answer within 0.02 s.", "It could not be read: broken."]);
  });
});

/** A dead process nobody has asked about yet still has a number. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State: X");
  return !/State:\s+[XZ]/.test(status);
}
