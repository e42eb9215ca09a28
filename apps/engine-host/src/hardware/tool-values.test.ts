import { describe, expect, it } from "vitest";
import { parseAccelerator, workingSetOf } from "./apple-gpu.ts";
import { parseGpus, partMemory } from "./nvidia-smi.ts";
import { parseNvlinkSpeeds, parseTopology } from "./nvidia-topology.ts";
import { instructionSetsOf } from "./processor.ts";
import { plain } from "./reconcile.ts";
import { parseRocmSmi } from "./rocm-smi.ts";
import {
  bytesOf,
  countOf,
  jsonOf,
  numberOf,
  pciAddressOf,
  pcieGenerationOf,
  recordsOf,
  textOf,
} from "./tool-values.ts";
import { parseAdapters } from "./windows-adapters.ts";

const gibibyte = 2 ** 30;

describe("values", () => {
  it("reads numbers with and without units, and nothing else", () => {
    expect(["24564", " 23.44 W ", "41 %", "16 GT/s", 7].map(numberOf)).toEqual([24_564, 23.44, 41, 16, 7]);
    const none = [
      "[N/A]",
      "N/A",
      "[Not Supported]",
      "[Unknown Error]",
      "[GPU is lost]",
      "",
      "1e9",
      "0x10",
      "23,44",
      NaN,
    ];
    expect(none.map(numberOf)).toEqual(none.map(() => null));
    expect(numberOf({ value: 3 })).toBeNull();
  });

  it("keeps large sizes exact and refuses impossible ones", () => {
    expect(bytesOf("206141652992")).toBe(206_141_652_992);
    expect(bytesOf("196592", 2 ** 20)).toBe(206_141_652_992);
    expect(bytesOf("9999999999", 2 ** 20)).toBeNull();
    expect(bytesOf("-1")).toBeNull();
    expect(countOf("1234567890", 2 ** 31)).toBe(1_234_567_890);
    expect(countOf("1.5")).toBeNull();
  });

  it("makes one line of text, cut short, without control characters", () => {
    expect(textOf("\u001b[31mCard\u0000\u202e name\r\n")).toBe("[31mCard name");
    expect(textOf("x".repeat(5000))).toHaveLength(200);
    expect([" ", "N/A", "[Not Supported]", "unknown", undefined, 7].map(textOf)).toEqual(Array(6).fill(null));
  });

  it("writes PCI addresses one way", () => {
    expect(["00000000:C1:00.0", "0000:c1:00.0", "C1:00.0"].map(pciAddressOf)).toEqual(Array(3).fill("0000:c1:00.0"));
    expect(pciAddressOf("../../etc")).toBeNull();
    expect(["2.5 GT/s PCIe", "32.0 GT/s PCIe", "16 GT/s", "Unknown"].map(pcieGenerationOf)).toEqual([1, 5, 4, null]);
  });

  it("finds the JSON between warnings", () => {
    expect(jsonOf('WARNING: not in render group\n{"a": [1]}\nbye')).toEqual({ a: [1] });
    expect(() => jsonOf("ERROR: no devices")).toThrow("not JSON");
    expect(() => jsonOf('{"a": 1')).toThrow("not JSON");
  });

  it("reads tables by their heads, with Windows line ends and short lines", () => {
    expect(recordsOf("pid, used [MiB], name\r\n1, 2, a, b\r\nnonsense\r\n")).toEqual([
      { pid: "1", used: "2", name: "a, b" },
    ]);
    expect(recordsOf("")).toEqual([]);
  });
});

describe("nvidia-smi", () => {
  const head = "index, uuid, memory.total [MiB], power.draw [W], utilization.gpu [%], name";

  it("takes unknown values for unknown and leaves nonsense out", () => {
    const gpus = parseGpus(
      `${head}\n0, GPU-a, [N/A], [Not Supported], [Unknown Error], A\nUnable to determine the device handle for GPU0000:02:00.0: GPU is lost.\n-1, GPU-b, 1, 1, 1, B\n1, GPU-c, 24576, 20.1, 250, C\n`,
    );
    expect(
      gpus.map(({ uuid, totalBytes, powerWatts, utilizationPercent }) => [
        uuid,
        totalBytes,
        powerWatts,
        utilizationPercent,
      ]),
    ).toEqual([
      ["GPU-a", null, null, null],
      ["GPU-c", 24 * gibibyte, 20.1, null],
    ]);
  });

  it("knows chips whose memory is the main memory", () => {
    const [spark, card] = parseGpus(
      `${head}\n0, GPU-a, [N/A], 4.4, 0, NVIDIA GB10\n1, GPU-b, 100, 4, 0, NVIDIA RTX A4000\n`,
    );
    expect([spark?.unifiedMemory, card?.unifiedMemory]).toEqual([true, false]);
  });

  it("reads matrices pasted with spaces, without NUMA columns, or none at all", () => {
    const spaced =
      "        GPU0    GPU1    mlx5_0  CPU Affinity    NUMA Affinity\nGPU0     X      NV4     PIX     0-9,20-29       1\nGPU1    NV4      X      SYS     10-19   N/A\n";
    expect(parseTopology(spaced)).toEqual([
      { index: 0, links: [{ to: 1, link: "nvlink", links: 4 }], numaNode: 1 },
      { index: 1, links: [{ to: 0, link: "nvlink", links: 4 }], numaNode: null },
    ]);
    expect(parseTopology("\tGPU0\tCPU Affinity\nGPU0\t X \t0-3\n")).toEqual([{ index: 0, links: [], numaNode: null }]);
    expect(parseTopology("Failed to run topo\n")).toEqual([]);
  });

  it("counts only active links", () => {
    const output =
      "GPU 0: A (UUID: GPU-a)\n\t Link 0: <inactive>\n\t Link 1: 26.562 GB/s\nGPU 1: B (UUID: GPU-b)\nNVML: Unable to retrieve NVLink information as all links are inActive\n";
    expect([...parseNvlinkSpeeds(output)]).toEqual([["GPU-a", 26.562e9]]);
  });

  it("reads the parts' memory in the tables of old and new drivers", () => {
    const old =
      "|  0   11   0   0  |      0MiB /  4864MiB | 14      0 |  1   0    0    0    0 |\n|                  |      0MiB /  8191MiB |           |                       |\n";
    const now = "|  0    2   0   1  |            3892MiB / 20096MiB    | 42      0 |  3   0    2    0    0 |\n";
    expect([...partMemory(old + now)]).toEqual([
      ["0/0", { usedBytes: 0, totalBytes: 4864 * 2 ** 20 }],
      ["0/1", { usedBytes: 3892 * 2 ** 20, totalBytes: 20_096 * 2 ** 20 }],
    ]);
    expect([...partMemory("|  No MIG devices found  |\n|  0  0  0  0 | 9MiB / 1MiB |\n")]).toEqual([]);
  });
});

describe("other tools", () => {
  it("rocm-smi: spellings of several versions, sizes beyond 32 bits, no card", () => {
    const { gpus } = parseRocmSmi(
      `WARNING: AMD GPU device(s) is/are in a low-power state.\n\n{"card0": {"Card series": "0x7551", "Device Name": "Radeon RX 7900 XTX", "VRAM Total Memory (B)": "25753026560", "VRAM Total Used Memory (B)": "N/A", "Average Graphics Package Power (W)": "19.0"}, "card1": "flat", "system": {"Driver version": "6.7.0"}}`,
    );
    expect(gpus[0]).toMatchObject({
      name: "Radeon RX 7900 XTX",
      totalBytes: 25_753_026_560,
      freeBytes: null,
      powerWatts: 19,
      driver: "6.7.0",
    });
    expect(gpus).toHaveLength(2);
    expect(parseRocmSmi("WARNING: No JSON data to report\n").gpus).toEqual([]);
    expect(() => parseRocmSmi("ERROR:root:Driver not initialized")).toThrow("not JSON");
  });

  it("macOS: the working sets that llama.cpp prints, and not the driver's own memory", () => {
    const printed = [16, 24, 36, 64].map((size) => (workingSetOf(size * gibibyte) / 1e6).toFixed(2));
    // recommendedMaxWorkingSetSize, in MB of 10^6 bytes.
    expect(printed).toEqual(["11453.25", "17179.87", "28991.03", "51539.61"]);
    expect(parseAccelerator(`"In use system memory (driver)"=5,"In use system memory"=7`).usedBytes).toBe(7);
    expect(parseAccelerator("+-o nothing")).toEqual({
      name: null,
      cores: null,
      usedBytes: null,
      utilizationPercent: null,
    });
  });

  it("Windows: 64-bit sizes from the registry, displays that cannot compute left out", () => {
    const adapters = parseAdapters(
      JSON.stringify({
        adapters: [
          {
            Name: "AMD Radeon RX 7900 XTX",
            AdapterCompatibility: "Advanced Micro Devices, Inc.",
            DriverVersion: "32.0.11037.4004",
            PNPDeviceID: "PCI\\VEN_1002&DEV_744C&SUBSYS_0E3B1002&REV_C8\\6&1C0E8C0&0&00000019",
          },
          { Name: "Microsoft Remote Display Adapter", PNPDeviceID: "SWD\\REMOTEDISPLAYENUM\\RDPIDD" },
        ],
        usage: [{ DedicatedUsage: 0 }, { DedicatedUsage: 1_073_741_824 }],
        sizes: [
          {
            MatchingDeviceId: "PCI\\VEN_1002&DEV_744C&REV_C8",
            DriverDesc: "Another",
            "HardwareInformation.qwMemorySize": 1,
          },
          {
            MatchingDeviceId: "pci\\ven_1002&dev_744c",
            DriverDesc: "AMD Radeon RX 7900 XTX",
            "HardwareInformation.qwMemorySize": 25_753_026_560,
          },
        ],
      }),
    );
    expect(adapters).toHaveLength(1);
    expect(adapters[0]).toMatchObject({
      vendor: "AMD",
      totalBytes: 25_753_026_560,
      usedBytes: gibibyte,
      freeBytes: 25_753_026_560 - gibibyte,
      driver: "32.0.11037.4004",
    });
  });

  it("the processor: AVX512 only when all of it is there", () => {
    expect(instructionSetsOf(["avx2", "avx512f", "avx512cd"])).toEqual(["AVX2"]);
    expect(instructionSetsOf("amx_tile amx_int8 amx_bf16".split(" "))).toEqual(["AMX"]);
    expect(instructionSetsOf("fp asimd asimddp i8mm sve".split(" "))).toEqual(["NEON", "DOTPROD", "I8MM", "SVE"]);
  });

  it("names of one card by different tools", () => {
    expect(plain("NVIDIA GeForce RTX 4090")).toBe(plain("GeForce RTX 4090"));
    expect(plain("Intel(R) Arc(TM) A770 Graphics")).toBe(plain("Intel(R) Arc(tm) A770 Graphics (DG2)"));
    expect(plain("AMD Radeon RX 7900 XTX (RADV NAVI31)")).toBe(plain("Radeon RX 7900 XTX"));
  });
});
