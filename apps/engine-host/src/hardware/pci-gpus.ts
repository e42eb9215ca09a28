import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { GpuReading } from "./gpu-reading.ts";
import { bytesOf, countOf, numberWithin, pciAddressOf, pcieGenerationOf, textOf } from "./tool-values.ts";

const vendors: Record<string, string> = { "0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel" };
/** Display controllers, and processing accelerators, which data centre cards without a display call themselves. */
const gpuClass = /^0x(03|1200)/;
/** A file of sysfs is one page at most, characters. */
const pageSize = 4096;

/**
 * The GPUs on Linux's PCI bus, as the kernel's files describe them; for AMD's driver that includes memory and load.
 * Display chips of other makers (remote management, virtual machines) cannot compute and are left out.
 * @param root where sysfs is mounted
 * @param names what `lspci -Dmm` prints; empty where it is not there
 */
export async function readPciGpus(root: string, names: string): Promise<GpuReading[]> {
  const devices = join(root, "bus/pci/devices");
  const addresses = await readdir(devices).catch(() => []);
  const readings = await Promise.all(
    addresses.slice(0, 4096).map(async (address): Promise<GpuReading[]> => {
      const folder = join(devices, address);
      if (!gpuClass.test((await fileText(folder, "class")) ?? "")) return [];
      const vendor = vendors[(await fileText(folder, "vendor")) ?? ""];
      const busAddress = pciAddressOf(address);
      if (vendor === undefined || busAddress === null) return [];
      const name = (await fileText(folder, "product_name")) ?? nameIn(names, busAddress) ?? `${vendor} graphics card`;
      return [{ ...(await readingOf(folder)), source: "pci", vendor, uuid: null, busAddress, name }];
    }),
  );
  return readings.flat().sort((a, b) => (a.busAddress! < b.busAddress! ? -1 : 1));
}

async function readingOf(folder: string) {
  const file = (name: string) => fileText(folder, name);
  const [speed, width, maxSpeed, maxWidth, numa] = await Promise.all(
    ["current_link_speed", "current_link_width", "max_link_speed", "max_link_width", "numa_node"].map(file),
  );
  const pcie = {
    generation: pcieGenerationOf(speed),
    width: countOf(width, 64),
    maxGeneration: pcieGenerationOf(maxSpeed),
    maxWidth: countOf(maxWidth, 64),
  };
  const driver = (await file("driver/module/version")) ?? null;
  return {
    pcie: Object.values(pcie).some((value) => value !== null) ? pcie : null,
    // -1: the firmware tells no node.
    numaNode: countOf(numa),
    driver: textOf(driver),
    ...(await amdLoadOf(folder)),
  };
}

/** Memory and load of a card that AMD's driver of the kernel runs (linux: Documentation/gpu/amdgpu/driver-misc). */
export async function amdLoadOf(folder: string) {
  const [total, used, busy] = await Promise.all(
    ["mem_info_vram_total", "mem_info_vram_used", "gpu_busy_percent"].map((name) => fileText(folder, name)),
  );
  const sensors = join(folder, "hwmon", (await readdir(join(folder, "hwmon")).catch(() => []))[0] ?? "none");
  const [average, input, cap, temperature] = await Promise.all(
    ["power1_average", "power1_input", "power1_cap", "temp1_input"].map((name) => fileText(sensors, name)),
  );
  const scaled = (text: string | null | undefined, unit: number, least: number, most: number) =>
    numberWithin(countOf(text, 1e12) === null ? null : Number(text) / unit, least, most);
  const totalBytes = bytesOf(total);
  const usedBytes = bytesOf(used);
  return {
    totalBytes,
    usedBytes,
    freeBytes: totalBytes !== null && usedBytes !== null ? Math.max(0, totalBytes - usedBytes) : null,
    utilizationPercent: numberWithin(busy, 0, 100),
    // Microwatts, millidegrees.
    powerWatts: scaled(average ?? input, 1e6, 0, 10_000),
    powerLimitWatts: scaled(cap, 1e6, 0, 10_000),
    temperatureCelsius: scaled(temperature, 1e3, -50, 200),
  };
}

/** The name of a device in the lines of `lspci -Dmm`: 0000:01:00.0 "class" "vendor" "device" … */
function nameIn(names: string, busAddress: string): string | null {
  const line = names.split(/\r?\n/).find((text) => text.toLowerCase().startsWith(`${busAddress} `));
  const [, maker = "", device] = [...(line ?? "").matchAll(/"([^"]*)"/g)].map((match) => match[1]);
  // "AD102 [GeForce RTX 4090]": the trade name stands in brackets.
  const name = textOf(/\[([^\]]+)\]/.exec(device ?? "")?.[1] ?? device);
  return name === null ? null : `${maker.split(/[ ,]/)[0]} ${name}`;
}

async function fileText(folder: string, name: string): Promise<string | null> {
  const text = await readFile(join(folder, name), "utf8").catch(() => null);
  return text === null ? null : textOf(text.slice(0, pageSize));
}
