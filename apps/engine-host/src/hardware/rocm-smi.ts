import type { GpuReading, GpuSource } from "./gpu-reading.ts";
import { bytesOf, countOf, jsonOf, numberWithin, objectOf, pciAddressOf, textOf } from "./tool-values.ts";

/** What rocm-smi is asked: the tool of ROCm up to 6, still the only one on many machines. */
export const rocmSmiArguments = [
  "--showproductname",
  "--showbus",
  "--showuniqueid",
  "--showmeminfo",
  "vram",
  "--showuse",
  "--showpower",
  "--showmaxpower",
  "--showtemp",
  "--showtoponuma",
  "--showdriverversion",
  "--json",
];

/**
 * The AMD GPUs in rocm-smi's answer; it tells which programs run only without JSON, so that stays unknown here.
 * @throws Error when the answer is not JSON
 */
export function parseRocmSmi(output: string): GpuSource {
  // With nothing to say it prints a warning and no JSON.
  if (/WARNING: No JSON data to report/.test(output)) return { gpus: [], notes: [] };
  const answer = objectOf(jsonOf(output));
  const driver = textOf(objectOf(answer["system"])["Driver version"]);
  const gpus = Object.entries(answer)
    .slice(0, 256)
    .flatMap(([key, value]): GpuReading[] => {
      const index = countOf(/^card(\d{1,3})$/.exec(key)?.[1]);
      const card = objectOf(value);
      if (index === null) return [];
      const totalBytes = bytesOf(card["VRAM Total Memory (B)"]);
      const usedBytes = bytesOf(card["VRAM Total Used Memory (B)"]);
      return [
        {
          source: "rocm-smi",
          vendor: "AMD",
          backend: "vulkan",
          index,
          // Its unique id is no UUID that any other tool tells.
          uuid: null,
          busAddress: pciAddressOf(card["PCI Bus"]),
          name: nameOf(card),
          driver,
          computeCapability: textOf(card["GFX Version"]),
          totalBytes,
          usedBytes,
          freeBytes: totalBytes !== null && usedBytes !== null ? Math.max(0, totalBytes - usedBytes) : null,
          utilizationPercent: numberWithin(card["GPU use (%)"], 0, 100),
          temperatureCelsius:
            numberWithin(card["Temperature (Sensor junction) (C)"], -50, 200) ??
            numberWithin(card["Temperature (Sensor edge) (C)"], -50, 200),
          powerWatts:
            numberWithin(card["Current Socket Graphics Package Power (W)"], 0, 10_000) ??
            numberWithin(card["Average Graphics Package Power (W)"], 0, 10_000),
          powerLimitWatts: numberWithin(card["Max Graphics Package Power (W)"], 0, 10_000),
          numaNode: countOf(card["(Topology) Numa Node"]),
        },
      ];
    });
  return { gpus, notes: [] };
}

/** The spelling of the keys differs between versions, and a series may be a bare number. */
function nameOf(card: Record<string, unknown>): string {
  const names = [card["Card Series"], card["Card series"], card["Device Name"], card["Card model"]];
  return names.map(textOf).find((name) => name !== null && !/^0x/i.test(name)) ?? "AMD GPU";
}
