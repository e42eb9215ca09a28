import type { GpuReading } from "./gpu-reading.ts";
import { bytesOf, jsonOf, objectOf, objectsOf, textOf } from "./tool-values.ts";

const classKey = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0*";
/**
 * Asks Windows for its display adapters. Their memory stands in the registry, as Win32_VideoController counts to 4 GiB
 * only. systeminformation is not asked: it runs nvidia-smi synchronously and without a limit, which would stop the host
 * together with a hung driver.
 */
export const adapterArguments = [
  "-NoProfile",
  "-NonInteractive",
  "-Command",
  "$ErrorActionPreference='SilentlyContinue';" +
    "@{adapters=@(Get-CimInstance Win32_VideoController|Select Name,AdapterCompatibility,DriverVersion,PNPDeviceID);" +
    `sizes=@(Get-ItemProperty '${classKey}'|Select MatchingDeviceId,DriverDesc,'HardwareInformation.qwMemorySize');` +
    "usage=@(Get-CimInstance Win32_PerfFormattedData_GPUPerformanceCounters_GPUAdapterMemory|Select DedicatedUsage)}" +
    "|ConvertTo-Json -Depth 3 -Compress",
];

const vendors: [RegExp, string][] = [
  [/VEN_10DE/i, "NVIDIA"],
  [/VEN_1002/i, "AMD"],
  [/VEN_8086/i, "Intel"],
];

/**
 * The adapters in PowerShell's answer that can compute; virtual ones and those of remote desktops are left out.
 * @throws Error when the answer is not JSON
 */
export function parseAdapters(output: string): GpuReading[] {
  const answer = objectOf(jsonOf(output));
  const sizes = objectsOf(answer["sizes"]);
  const readings = objectsOf(answer["adapters"]).flatMap((adapter): GpuReading[] => {
    const device = textOf(adapter["PNPDeviceID"]) ?? "";
    const vendor = vendors.find(([pattern]) => pattern.test(device))?.[1];
    const name = textOf(adapter["Name"]);
    if (vendor === undefined || name === null) return [];
    const entry = sizes.find((size) => {
      const matching = textOf(size["MatchingDeviceId"])?.toLowerCase();
      return size["DriverDesc"] === name && matching !== undefined && device.toLowerCase().startsWith(matching);
    });
    return [
      {
        source: "windows",
        vendor,
        uuid: null,
        busAddress: null,
        name,
        driver: textOf(adapter["DriverVersion"]),
        totalBytes: bytesOf(entry?.["HardwareInformation.qwMemorySize"]),
      },
    ];
  });
  return withUse(readings, objectsOf(answer["usage"]));
}

/**
 * Windows counts the use of each adapter under a number the adapters do not show, so it is known whose it is only where
 * one adapter has memory of its own.
 */
function withUse(readings: GpuReading[], usage: Record<string, unknown>[]): GpuReading[] {
  const counts = usage.flatMap((entry) => bytesOf(entry["DedicatedUsage"]) ?? []);
  const sized = readings.filter(({ totalBytes }) => totalBytes != null);
  const [only] = sized;
  if (!only?.totalBytes || sized.length > 1 || counts.length === 0) return readings;
  only.usedBytes = Math.max(...counts);
  only.freeBytes = Math.max(0, only.totalBytes - only.usedBytes);
  return readings;
}
