import { describe, expect, it } from "vitest";
import { parseGpuList } from "./gpu-list.ts";

const mib = 2 ** 20;
const gib = 2 ** 30;

describe("parseGpuList", () => {
  it.each([
    ["8x H100 80GB", 8, 81_559],
    ["1x RTX 4090 24GB", 1, 24_564],
    ["2x RTX 3090 24GB", 2, 24_576],
    ["4x A100 80GB", 4, 81_920],
    ["1x RTX 3060 12GB", 1, 12_288],
    ["8x H200 141GB", 8, 143_771],
    ["8×H200", 8, 143_771],
    ["RTX 4090", 1, 24_564],
    ["2 x NVIDIA GeForce RTX 4090 24 GB", 2, 24_564],
    ["1x A100 40GB", 1, 40_960],
    ["1x H100 NVL 94GB", 1, 95_830],
    ["1x Strange Card 24576MiB", 1, 24_576],
    ["1x MI300X 192GB", 1, 196_592],
  ])("%s is %i cards of %i MiB, as the driver reports them", (text, count, mebibytes) => {
    const { gpus, memory } = parseGpuList(text);
    expect(gpus).toHaveLength(count);
    for (const gpu of gpus) expect(gpu).toMatchObject({ totalBytes: mebibytes * mib, freeBytes: mebibytes * mib });
    expect(memory).toEqual({ totalBytes: 64 * gib, availableBytes: 64 * gib });
  });

  it("takes unequal mixes and the main memory", () => {
    const { gpus, memory } = parseGpuList("2x RTX 4090 24GB + 1x A100 80GB + ram 512GB");
    expect(gpus.map(({ id, index, name }) => [id, index, name])).toEqual([
      ["gpu-0", 0, "RTX 4090 24GB"],
      ["gpu-1", 1, "RTX 4090 24GB"],
      ["gpu-2", 2, "A100 80GB"],
    ]);
    expect(memory.totalBytes).toBe(512 * gib);
  });

  it("takes a machine without a GPU", () => {
    expect(parseGpuList("cpu + ram 64GB")).toMatchObject({ gpus: [], memory: { totalBytes: 64 * gib } });
    expect(parseGpuList("CPU").gpus).toEqual([]);
    expect(parseGpuList("cpu + RAM 1TB").memory.totalBytes).toBe(2 ** 40);
  });

  it("knows the vendors, and that Apple's memory is one", () => {
    const { gpus } = parseGpuList("1x RX 7900 XTX 24GB + 1x Arc A770 16GB + 1x Apple M2 Ultra + ram 192GB");
    expect(gpus.map(({ vendor }) => vendor)).toEqual(["AMD", "Intel", "Apple"]);
    expect(gpus[2]).toMatchObject({ unifiedMemory: true, totalBytes: 144 * gib });
  });

  it("takes a card it does not know for a little less than its size", () => {
    const [gpu] = parseGpuList("1x Future 9000 100GB").gpus;
    expect(gpu?.totalBytes).toBeLessThan(100 * gib);
    expect(gpu?.totalBytes).toBeGreaterThan(97 * gib);
  });

  it.each([
    ["", "nothing between"],
    ["1x H100 80GB +", "nothing between"],
    ["0x H100 80GB", "from 1 to 64 cards"],
    ["9999x H100 80GB", "from 1 to 64 cards"],
    ["2x", "does not name a card"],
    ["80GB", "does not name a card"],
    ["1x Mystery Card", "How much memory"],
    ["ram", "needs a size"],
    ["ram lots", "needs a size"],
    ["ram 64GB + ram 32GB", "twice"],
    ["1x Card 0GB", "needs a size"],
    ["1x Card 99999999TB", "needs a size"],
  ])("refuses %j and says why", (text, why) => {
    expect(() => parseGpuList(text)).toThrow(why);
  });
});
