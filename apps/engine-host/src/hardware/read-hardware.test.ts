import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hardwareSnapshot } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { createHardware } from "./read-hardware.ts";
import { openFakeMachine, snapshotOf } from "./testing/fake-machine.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

describe("this machine", () => {
  it("is described in the protocol's words", async () => {
    const snapshot = await createHardware({ diskPath: import.meta.dirname }).snapshot();
    expect(hardwareSnapshot.parse(snapshot)).toEqual(snapshot);
    expect(snapshot.memory.availableBytes).toBeGreaterThan(0);
    expect(snapshot.memory.availableBytes).toBeLessThanOrEqual(snapshot.memory.totalBytes);
    expect(snapshot.cpu.physicalCores).toBeLessThanOrEqual(snapshot.cpu.logicalCores);
    expect(snapshot.disk.freeBytes).toBeGreaterThan(0);
    if (process.platform === "linux") expect(snapshot.cpu.instructionSets.length).toBeGreaterThan(0);
  });

  it("notes a disk that cannot be read", async () => {
    await using machine = await openFakeMachine(null);
    const diskPath = join(machine.folder, "none");
    const { disk, notes } = await createHardware({ ...machine.options, diskPath }).snapshot();
    expect(disk.freeBytes).toBeNull();
    expect(notes.join(" ")).toContain("The disk could not be read");
  });
});

describe.skipIf(process.platform === "win32")("recorded machines", () => {
  it("1× RTX 4090: memory, link, processor, NUMA, and who else uses it", async () => {
    const { gpus, cpu, numaNodes, runtimes, notes } = await snapshotOf("1x-rtx-4090");
    expect(notes).toEqual([]);
    expect(runtimes.cuda).toBe("12.6");
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({
      id: expect.stringMatching(/^GPU-/) as string,
      index: 0,
      name: "NVIDIA GeForce RTX 4090",
      vendor: "NVIDIA",
      backend: "cuda",
      usable: true,
      totalBytes: 24_564 * mebibyte,
      freeBytes: 15_642 * mebibyte,
      usedBytes: 8466 * mebibyte,
      usedByOthersBytes: 8466 * mebibyte,
      processes: [{ pid: 48_211, name: "/opt/comfy/venv/bin/python, worker", usedBytes: 8192 * mebibyte, ours: false }],
      computeCapability: "8.9",
      driver: "560.35.03",
      busAddress: "0000:01:00.0",
      pcie: { generation: 1, width: 16, maxGeneration: 4, maxWidth: 16 },
      numaNode: 0,
      temperatureCelsius: 41,
      powerWatts: 23.44,
      powerLimitWatts: 450,
      utilizationPercent: 3,
      peers: [],
      source: "nvidia-smi",
      sources: ["nvidia-smi", "pci"],
    });
    expect(cpu.instructionSets).toEqual(expect.arrayContaining(["AVX2", "FMA", "F16C", "AVX512", "AVX512-VNNI"]));
    expect(cpu.instructionSets).not.toContain("AMX");
    expect(numaNodes).toEqual([{ id: 0, cpus: "0-31", totalBytes: 65_763_588 * 1024, freeBytes: 40_211_432 * 1024 }]);
  });

  it("2× RTX 3090 with a bridge: NVLink with its speed", async () => {
    const { gpus, notes } = await snapshotOf("2x-rtx-3090-nvlink");
    expect(notes).toEqual([]);
    const [first, second] = gpus;
    expect(first?.peers).toEqual([{ id: second?.id, link: "nvlink", links: 4, bytesPerSecond: 4 * 14.062e9 }]);
    expect(second?.peers).toEqual([{ id: first?.id, link: "nvlink", links: 4, bytesPerSecond: 4 * 14.062e9 }]);
    expect(first?.computeCapability).toBe("8.6");
  });

  it("4× A100: each on a NUMA node of its own, all linked", async () => {
    const { gpus } = await snapshotOf("4x-a100-80gb");
    expect(gpus.map(({ numaNode }) => numaNode)).toEqual([3, 1, 7, 5]);
    expect(gpus.every(({ peers }) => peers.length === 3 && peers.every(({ link }) => link === "nvlink"))).toBe(true);
    expect(gpus[0]?.peers[0]?.bytesPerSecond).toBe(100e9);
    expect(gpus[0]?.totalBytes).toBe(81_920 * mebibyte);
    expect(gpus.every(({ usable }) => usable)).toBe(true);
  });

  it("8× H100 SXM: network cards in the matrix are no GPUs", async () => {
    const { gpus, runtimes } = await snapshotOf("8x-h100-sxm");
    expect(gpus).toHaveLength(8);
    expect(runtimes.cuda).toBe("12.8");
    for (const gpu of gpus) {
      expect(gpu.peers).toHaveLength(7);
      expect(gpu.peers.every(({ link, links }) => link === "nvlink" && links === 18)).toBe(true);
      expect(gpu.totalBytes).toBe(81_559 * mebibyte);
      expect(gpu.numaNode).toBe(gpu.index < 4 ? 0 : 1);
      expect(gpu.pcie?.maxGeneration).toBe(5);
    }
  });

  it("10 cards: PCIe in all its kinds, ten digits in a process number", async () => {
    const { gpus } = await snapshotOf("10x-rtx-a6000");
    expect(gpus.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const links = Object.fromEntries(
      gpus[0]!.peers.map(({ id, link }) => [gpus.findIndex((gpu) => gpu.id === id), link]),
    );
    expect(links).toEqual({ 1: "pix", 2: "pxb", 3: "pxb", 4: "pxb", 5: "sys", 6: "sys", 7: "sys", 8: "sys", 9: "sys" });
    expect(gpus[9]).toMatchObject({ utilizationPercent: 97, processes: [{ pid: 1_234_567_890 }] });
  });

  it("2 unequal cards, one of them busy, on a slot of four lanes", async () => {
    const { gpus } = await snapshotOf("2-unequal");
    expect(gpus.map(({ totalBytes }) => totalBytes)).toEqual([24_564 * mebibyte, 12_288 * mebibyte]);
    expect(gpus[1]).toMatchObject({
      freeBytes: 9114 * mebibyte,
      usedByOthersBytes: 2821 * mebibyte,
      pcie: { width: 4, maxWidth: 16 },
      processes: [
        { name: "C:\\Windows\\explorer.exe", usedBytes: null },
        { name: "ollama_llama_server", usedBytes: 1536 * mebibyte },
      ],
    });
    expect(gpus[0]?.peers[0]?.link).toBe("phb");
  });

  it("MIG: each part is a device, the divided GPU is not to be used", async () => {
    const { gpus, notes } = await snapshotOf("mig-on");
    expect(notes).toEqual([]);
    const [whole, ...rest] = gpus;
    expect(whole).toMatchObject({ usable: false, unusableReason: expect.stringContaining("MIG") as string });
    const parts = rest.slice(0, 3);
    expect(parts.map(({ name, usable, partition }) => [name, usable, partition])).toEqual(
      ["3g.40gb", "2g.20gb", "1g.10gb"].map((profile) => [
        `NVIDIA A100-SXM4-80GB MIG ${profile}`,
        true,
        { parentId: whole?.id, profile },
      ]),
    );
    expect(parts.map(({ totalBytes }) => totalBytes)).toEqual([40_192, 19_968, 9728].map((size) => size * mebibyte));
    expect(parts[0]?.freeBytes).toBe((40_192 - 3892) * mebibyte);
    expect(parts.every(({ id }) => id.startsWith("MIG-"))).toBe(true);
    expect(rest[3]).toMatchObject({ usable: true, partition: null, index: 1 });
  });

  it("2× MI300X: amd-smi, rocm-smi and the kernel agree and become one", async () => {
    const { gpus, runtimes, notes } = await snapshotOf("2x-mi300x");
    expect(notes).toEqual([]);
    expect(runtimes.rocm).toBe("6.3.1");
    expect(gpus).toHaveLength(2);
    expect(gpus[1]).toMatchObject({
      id: "0000:26:00.0",
      name: "AMD Instinct MI300X",
      vendor: "AMD",
      backend: "vulkan",
      totalBytes: 206_141_652_992,
      freeBytes: (196_592 - 121_344) * mebibyte,
      usedBytes: 121_344 * mebibyte,
      usedByOthersBytes: 121_344 * mebibyte,
      processes: [{ pid: 4242, name: "/usr/bin/python3.12", usedBytes: 126_877_696_000 }],
      computeCapability: "gfx942",
      driver: "6.10.5",
      pcie: { generation: 5, width: 16, maxGeneration: 5, maxWidth: 16 },
      peers: [{ id: "0000:05:00.0", link: "xgmi", links: 1, bytesPerSecond: 100e9 }],
      numaNode: 1,
      temperatureCelsius: 71,
      powerWatts: 542,
      powerLimitWatts: 750,
      utilizationPercent: 87,
      sources: ["amd-smi", "rocm-smi", "pci"],
    });
    expect(gpus[0]?.processes).toEqual([]);
  });

  it("Arc: xpu-smi's sizes, and its own process left out", async () => {
    const { gpus, notes } = await snapshotOf("arc-a770");
    expect(notes).toEqual([]);
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({
      name: "Intel(R) Arc(TM) A770 Graphics",
      vendor: "Intel",
      backend: "vulkan",
      totalBytes: 16_225_243_136,
      freeBytes: 16_025_993_216,
      usedBytes: Math.round(190.02 * mebibyte),
      processes: [{ pid: 2210, name: "gnome-shell", usedBytes: 185_000_000 }],
      temperatureCelsius: 46,
      powerWatts: 38.73,
      utilizationPercent: 4.5,
      sources: ["xpu-smi", "pci"],
    });
  });

  it("M2 Max: what macOS lets the GPU have of the memory", async () => {
    const { gpus, cpu, memory, os, notes } = await snapshotOf("m2-max", "darwin");
    expect(notes).toEqual([]);
    expect(os).toEqual({ platform: "darwin", distribution: "macOS 14.6.1", architecture: "arm64" });
    expect(cpu).toMatchObject({ name: "Apple M2 Max", instructionSets: ["NEON"] });
    expect(memory.totalBytes).toBe(64 * gibibyte);
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({
      name: "Apple M2 Max (38 GPU cores)",
      backend: "metal",
      unifiedMemory: true,
      totalBytes: 48 * gibibyte,
      freeBytes: 41_231_686_041,
      usedBytes: 1_284_358_144,
      utilizationPercent: 41,
    });
  });

  it("M2 Max with a limit set by its owner", async () => {
    await using machine = await openFakeMachine("m2-max", "darwin");
    await machine.setTool(
      "sysctl",
      "printf 'hw.memsize: 68719476736\\nmachdep.cpu.brand_string: Apple M2 Max\\niogpu.wired_limit_mb: 20480\\n'",
    );
    const { gpus } = await createHardware(machine.options).snapshot();
    expect(gpus[0]).toMatchObject({ totalBytes: 20 * gibibyte, freeBytes: 20 * gibibyte - 1_284_358_144 });
  });

  it("no GPU: a display for remote management is none, and nothing is amiss", async () => {
    const { gpus, notes } = await snapshotOf("no-gpu");
    expect(gpus).toEqual([]);
    expect(notes).toEqual([]);
  });

  it("driver broken: the card is there, unusable, with the driver's own words", async () => {
    const { gpus, notes } = await snapshotOf("driver-broken");
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({
      name: "NVIDIA GeForce RTX 4090",
      totalBytes: null,
      usable: false,
      unusableReason: expect.stringContaining("couldn't communicate with the NVIDIA driver") as string,
      source: "pci",
    });
    expect(notes).toEqual([expect.stringContaining("couldn't communicate with the NVIDIA driver")]);
  });
});

describe.skipIf(process.platform === "win32")("other systems", () => {
  it("Windows: PowerShell's adapters, and nvidia-smi's figures for the same card", async () => {
    await using machine = await openFakeMachine("1x-rtx-4090", "win32");
    const adapters = {
      adapters: [
        {
          Name: "NVIDIA GeForce RTX 4090",
          PNPDeviceID: "PCI\\VEN_10DE&DEV_2684&SUBSYS_889C1043",
          DriverVersion: "32.0.15.6603",
        },
      ],
      sizes: [
        {
          MatchingDeviceId: "pci\\ven_10de&dev_2684",
          DriverDesc: "NVIDIA GeForce RTX 4090",
          "HardwareInformation.qwMemorySize": 25_757_220_864,
        },
      ],
      usage: [],
    };
    await writeFile(join(machine.folder, "adapters.json"), JSON.stringify(adapters));
    await machine.setTool("powershell.exe", `/bin/cat '${machine.folder}/adapters.json'`);
    const { gpus, notes } = await createHardware(machine.options).snapshot();
    expect(notes).toEqual([]);
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({ driver: "560.35.03", usable: true, sources: ["nvidia-smi", "windows"] });
  });

  it("a Mac with an Intel processor: systeminformation's cards", async () => {
    await using machine = await openFakeMachine("m2-max", "darwin");
    const own = machine.options.machine ?? {};
    const graphics = () => Promise.resolve({ controllers: [{ vendor: "AMD", model: "Radeon Pro 5500M", vram: 8192 }] });
    const system = { ...own.system!, graphics };
    const options = { ...machine.options, machine: { ...own, architecture: "x64", system } };
    const { gpus } = await createHardware(options).snapshot();
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({ name: "Radeon Pro 5500M", totalBytes: 8 * gibibyte, source: "systeminformation" });
  });

  it("a container that was given some of the cards says so of the others", async () => {
    await using machine = await openFakeMachine("1x-rtx-4090");
    const other = join(machine.options.machine?.sysRoot ?? "", "bus/pci/devices/0000:41:00.0");
    await mkdir(other, { recursive: true });
    await writeFile(join(other, "class"), "0x030000\n");
    await writeFile(join(other, "vendor"), "0x10de\n");
    const { gpus } = await createHardware(machine.options).snapshot();
    expect(gpus[1]).toMatchObject({
      usable: false,
      unusableReason: "nvidia-smi does not list it: this container was not given it, or it has failed.",
    });
  });
});

describe.skipIf(process.platform === "win32")("what tells our own use from others'", () => {
  it("is the parent of a process, and an unknown share makes the rest unknown", async () => {
    await using machine = await openFakeMachine("1x-rtx-4090");
    const proc = machine.options.machine?.procRoot ?? "";
    for (const [pid, parent] of [
      [48_211, 900],
      [900, process.pid],
    ] as const) {
      await mkdir(join(proc, String(pid)));
      await writeFile(join(proc, String(pid), "status"), `Name:\tnode\nPPid:\t${parent}\n`);
    }
    const { gpus } = await createHardware(machine.options).snapshot();
    expect(gpus[0]?.processes[0]?.ours).toBe(true);
    expect(gpus[0]?.usedByOthersBytes).toBe((8466 - 8192) * mebibyte);
  });
});

describe.skipIf(process.platform === "win32")("sources that disagree", () => {
  it("are named, the vendor's tool is right", async () => {
    await using machine = await openFakeMachine("2x-mi300x");
    const file = join(machine.options.machine?.sysRoot ?? "", "bus/pci/devices/0000:26:00.0/mem_info_vram_total");
    await writeFile(file, `${96 * gibibyte}\n`);
    const { gpus, notes } = await createHardware(machine.options).snapshot();
    expect(gpus[1]?.totalBytes).toBe(206_141_652_992);
    expect(notes).toEqual([
      "AMD Instinct MI300X: amd-smi tells of 192.0 GiB memory, pci of 96.0 GiB; the figure of amd-smi is used.",
    ]);
  });

  it("leave gaps that the next one fills: AMD without its tools", async () => {
    await using machine = await openFakeMachine("2x-mi300x");
    await machine.setTool("amd-smi", "exit 1");
    await machine.setTool("rocm-smi", "echo WARNING: No JSON data to report");
    const { gpus, notes } = await createHardware(machine.options).snapshot();
    expect(gpus[1]).toMatchObject({
      usable: true,
      backend: "vulkan",
      totalBytes: 206_141_652_992,
      freeBytes: 206_141_652_992 - 127_238_406_144,
      powerWatts: 542,
      temperatureCelsius: 71,
      sources: ["pci"],
    });
    expect(notes).toEqual(["amd-smi could not be read: ended with 1."]);
  });

  it("Vulkan says which cards the engine reaches", async () => {
    await using machine = await openFakeMachine("arc-a770");
    const listed = (name: string) => ({ ...machine.options, vulkan: () => Promise.resolve([{ name }]) });
    const reached = await createHardware(listed("Intel(R) Arc(tm) A770 Graphics (DG2)")).snapshot();
    expect(reached.gpus.map(({ usable }) => usable)).toEqual([true]);
    const missed = await createHardware(listed("llvmpipe (LLVM 17.0.6, 256 bits)")).snapshot();
    expect(missed.gpus[0]).toMatchObject({
      usable: false,
      unusableReason: expect.stringContaining("Vulkan") as string,
    });
    expect(missed.gpus[1]).toMatchObject({ source: "vulkan", totalBytes: null });
    const hung = { ...machine.options, timeoutMs: 300, vulkan: () => new Promise<never>(() => undefined) };
    const { gpus, notes } = await createHardware(hung).snapshot();
    expect(gpus[0]?.usable).toBe(true);
    expect(notes).toEqual(["Vulkan's list of GPUs did not answer within 0.3 s."]);
  });
});
