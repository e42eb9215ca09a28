import { CorralError, type PlanHardware } from "@corral/protocol";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

/**
 * What the driver reports of a card sold with so many GB, MiB. Sources: `nvidia-smi` and `rocm-smi` listings published by
 * owners and clouds. The card without a size in its name stands first.
 */
const reported: readonly (readonly [name: RegExp, soldGigabytes: number, mebibytes: number])[] = [
  [/\bB200\b/i, 180, 183_359],
  [/\bH200\b/i, 141, 143_771],
  [/\bH100\b/i, 80, 81_559],
  [/\bH100\b/i, 94, 95_830],
  [/\bA100\b/i, 80, 81_920],
  [/\bA100\b/i, 40, 40_960],
  [/\bV100\b/i, 32, 32_768],
  [/\bV100\b/i, 16, 16_384],
  [/\bL40S?\b/i, 48, 46_068],
  [/\bL4\b/i, 24, 23_034],
  [/\bA40\b/i, 48, 46_068],
  [/\bA30\b/i, 24, 24_576],
  [/\bA10G?\b/i, 24, 23_028],
  [/\bT4\b/i, 16, 15_360],
  [/\bRTX PRO 6000\b/i, 96, 97_887],
  [/\bRTX 6000 Ada\b/i, 48, 49_140],
  [/\bA6000\b/i, 48, 49_140],
  [/\bA5000\b/i, 24, 24_564],
  [/\bA4000\b/i, 16, 16_376],
  [/\bRTX 5090\b/i, 32, 32_607],
  [/\bRTX 5080\b/i, 16, 16_303],
  [/\bRTX 5070 Ti\b/i, 16, 16_303],
  [/\bRTX 5070\b/i, 12, 12_227],
  [/\bRTX 5060 Ti\b/i, 16, 16_311],
  [/\bRTX 4090\b/i, 24, 24_564],
  [/\bRTX 4080\b/i, 16, 16_376],
  [/\bRTX 4070 Ti SUPER\b/i, 16, 16_376],
  [/\bRTX 4070\b/i, 12, 12_282],
  [/\bRTX 4060 Ti\b/i, 16, 16_380],
  [/\bRTX 4060\b/i, 8, 8188],
  [/\bRTX 3090\b/i, 24, 24_576],
  [/\bRTX 3080\b/i, 10, 10_240],
  [/\bRTX 3080\b/i, 12, 12_288],
  [/\bRTX 3070\b/i, 8, 8192],
  [/\bRTX 3060\b/i, 12, 12_288],
  [/\bRTX 2080 Ti\b/i, 11, 11_264],
  [/\bMI325X\b/i, 256, 262_128],
  [/\bMI300X\b/i, 192, 196_592],
  [/\bMI210\b/i, 64, 65_520],
  [/\bRX 7900 XTX\b/i, 24, 24_560],
  [/\bRX 7900 XT\b/i, 20, 20_464],
];
/** Of a card not listed, the share of its size that drivers leave to programs. */
const unlistedShare = 0.98;
/** Share of main memory an Apple GPU may use, unless the system is told otherwise. */
const unifiedShare = 0.75;
const defaultRamBytes = 64 * gibibyte;
const mostCards = 64;

const example = 'for example "8x H100 80GB" or "2x RTX 4090 24GB + 1x A100 80GB + ram 512GB"';

/**
 * A machine from a description: cards joined by "+", each with a count, a name and a size, and "ram SIZE" (64GB when it is
 * not said); "cpu" stands for no card. The cards are taken as idle.
 * @throws CorralError INVALID_INPUT, naming the part that is not understood
 */
export function parseGpuList(text: string): PlanHardware {
  const gpus: PlanHardware["gpus"] = [];
  let ramBytes: number | null = null;
  for (const part of text.split("+").map((item) => item.trim().replace(/\s+/g, " "))) {
    if (part === "") throw refused(`The description has nothing between two "+" or at an end; write ${example}.`);
    if (/^cpu$/i.test(part)) continue;
    const ram = /^ram\b\s*(.*)$/i.exec(part);
    if (ram) {
      if (ramBytes !== null) throw refused('The description says "ram" twice.');
      ramBytes = sizeOf(ram[1] ?? "", part);
      continue;
    }
    const [, countText = "1", name = ""] = /^(?:(\d+)\s*[x×*]\s*)?(.*)$/i.exec(part) ?? [];
    const count = Number(countText);
    if (count < 1 || gpus.length + count > mostCards) {
      throw refused(`A machine has from 1 to ${mostCards} cards in all, not ${countText} in "${part}".`);
    }
    const card = cardOf(name, part);
    for (let copy = 0; copy < count; copy++) {
      gpus.push({ ...card, id: `gpu-${gpus.length}`, index: gpus.length });
    }
  }
  const totalBytes = ramBytes ?? defaultRamBytes;
  return {
    // A plan on such a machine is a thought; its threads and its speed on the processor assume a usual one.
    cpu: { name: "CPU", physicalCores: 16, logicalCores: 32 },
    memory: { totalBytes, availableBytes: totalBytes },
    gpus: gpus.map((gpu) => (gpu.unifiedMemory ? ofUnifiedMemory(gpu, totalBytes) : gpu)),
  };
}

type Card = Omit<PlanHardware["gpus"][number], "id" | "index">;

function cardOf(described: string, part: string): Card {
  const [, name = "", size = ""] = /^(.*?)\s*((?:\d+(?:\.\d+)?)\s*(?:[KMGT]i?B))?$/i.exec(described) ?? [];
  if (!/[a-z]/i.test(name)) {
    throw refused(`"${part}" does not name a card; write ${example}.`);
  }
  const vendor = vendorOf(name);
  const unifiedMemory = vendor === "Apple";
  const listed = reported.filter(([pattern]) => pattern.test(name));
  if (size === "" && !unifiedMemory && listed.length === 0) {
    throw refused(`How much memory does "${part}" have? Write ${example}.`);
  }
  const sold = size === "" ? 0 : sizeOf(size, part) / gibibyte;
  const match = size === "" ? listed[0] : listed.find(([, gigabytes]) => gigabytes === sold);
  const bytes = match ? match[2] * mebibyte : Math.floor(sold * gibibyte * (isExact(size) ? 1 : unlistedShare));
  const label = `${name} ${match ? `${match[1]}GB` : size}`.trim();
  return { name: label, vendor, totalBytes: bytes, freeBytes: bytes, usable: true, unifiedMemory };
}

/** "24564MiB" and "24GiB" are meant as they are; "24GB" is what the box says. */
function isExact(size: string): boolean {
  return /i?B$/i.test(size) && /(MiB|GiB|TiB|MB)$/i.test(size);
}

function ofUnifiedMemory<T extends PlanHardware["gpus"][number]>(gpu: T, ramBytes: number): T {
  const bytes = Math.floor((gpu.totalBytes || ramBytes) * unifiedShare);
  return { ...gpu, totalBytes: bytes, freeBytes: bytes };
}

function vendorOf(name: string): string {
  if (/\bMI\d|\bRX\b|Radeon|Instinct|\bW7\d00\b|\bR9700\b/i.test(name)) return "AMD";
  if (/\bArc\b|\b[AB]\d[57]0\b/i.test(name)) return "Intel";
  return /\bApple\b|^M\d\b/i.test(name) ? "Apple" : "NVIDIA";
}

const units: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Memory is sold in powers of two, whatever its unit is called. */
function sizeOf(text: string, part: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT])i?B$/i.exec(text.trim()) ?? [];
  const bytes = Number(number) * (units[unit?.toUpperCase() ?? ""] ?? NaN);
  if (!(bytes > 0 && bytes <= 2 ** 50)) {
    throw refused(`"${part}" needs a size such as 80GB; write ${example}.`);
  }
  return bytes;
}

function refused(reason: string): CorralError<"INVALID_INPUT"> {
  return new CorralError("INVALID_INPUT", reason, { field: "gpus", reason });
}
