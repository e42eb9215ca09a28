import { describe, expect, it } from "vitest";
import { snapshotOf } from "../hardware/testing/fake-machine.ts";
import { describeHardware } from "./hardware.ts";

/** The cells of the row that begins with this. */
function row(text: string, start: string): string[] {
  return (
    text
      .split("\n")
      .find((line) => line.startsWith(start))
      ?.split(/\s{2,}/) ?? []
  );
}

describe.skipIf(process.platform === "win32")("corral hardware", () => {
  it("shows memory, who uses it, links, NUMA nodes and drivers of each GPU", async () => {
    const text = describeHardware(await snapshotOf("4x-a100-80gb"));
    expect(row(text, "GPU")).toEqual(
      expect.arrayContaining(["GPU", "Device", "Memory", "Free", "Others use", "PCIe", "Linked with", "NUMA"]),
    );
    expect(row(text, "2")).toEqual([
      "2",
      "NVIDIA A100-SXM4-80GB",
      "80.0 GiB",
      "79.2 GiB",
      "4.0 MiB",
      "Gen 4 x16",
      "NVLink: 0 1 3 (100 GB/s)",
      "7",
      "35 °C, 63 of 400 W, 0 %",
      "535.183.01 (nvidia-smi)",
    ]);
    expect(text).toContain("CUDA 12.2");
  });

  it("tells a narrow slot and each kind of link", async () => {
    expect(row(describeHardware(await snapshotOf("2-unequal")), "1 ")).toContain("Gen 4 x4 of x16");
    expect(row(describeHardware(await snapshotOf("10x-rtx-a6000")), "0 ")).toContain(
      "PIX: 1; PXB: 2 3 4; SYS: 5 6 7 8 9",
    );
    expect(row(describeHardware(await snapshotOf("2x-mi300x")), "0 ")).toContain("xGMI: 1 (100 GB/s)");
  });

  it("says why a GPU is not used, names MIG parts, and adds the notes", async () => {
    const divided = describeHardware(await snapshotOf("mig-on"));
    expect(divided).toContain("GPU 0 is not used: It is divided into parts (MIG)");
    expect(row(divided, "0 3g.40gb")).toEqual(expect.arrayContaining(["39.3 GiB", "35.4 GiB"]));
    const broken = describeHardware(await snapshotOf("driver-broken"));
    expect(broken).toContain("GPU 0 is not used: Its driver does not answer");
    expect(broken).toMatch(/^Note: nvidia-smi could not be read/m);
  });

  it("says that there is no GPU", async () => {
    expect(describeHardware(await snapshotOf("no-gpu"))).toContain("none found; models run on the processor");
  });
});
