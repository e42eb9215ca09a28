/** What a device can do at its best, from its maker's data sheet. */
export interface DevicePerformance {
  /** Memory bandwidth. A range where the name does not tell the model. */
  bytesPerSecond: Range;
  /** Dense 16-bit matrix arithmetic with 32-bit accumulation, operations per second. */
  flops: Range;
}

export interface Range {
  low: number;
  high: number;
}

/**
 * Name, memory bandwidth in GB/s, dense FP16/BF16 matrix TFLOPS. Sources: NVIDIA's data sheets and architecture whitepapers
 * (Volta, Turing, Ampere GA100 / GA102, Ada, Hopper H100 and H200, Blackwell and RTX PRO), AMD's CDNA and Radeon data
 * sheets, Intel's Arc specifications, Apple's newsroom specifications of each chip (Apple states no matrix figure: twice the
 * known FP32 rate). The first line that matches counts, so the more special names come first.
 */
const known: readonly (readonly [name: RegExp, gigabytesPerSecond: number, teraflops: number])[] = [
  // NVIDIA data centre
  [/GB200|B200/, 8000, 2250],
  [/B100/, 8000, 1750],
  [/GH200/, 4000, 989],
  [/H200.*NVL/, 4800, 835],
  [/H200/, 4800, 989],
  [/H100.*NVL/, 3900, 835],
  [/H100.*PCIe/i, 2000, 756],
  [/H100/, 3350, 989],
  [/H800/, 3350, 989],
  [/H20\b/, 4000, 148],
  [/A100.*40\s?GB/, 1555, 312],
  [/A100.*PCIe/i, 1935, 312],
  [/A100/, 2039, 312],
  [/A800/, 2039, 312],
  [/V100/, 900, 125],
  [/L40S/, 864, 362],
  [/\bL40\b/, 864, 181],
  [/\bL4\b/, 300, 121],
  [/\bA40\b/, 696, 150],
  [/\bA30\b/, 933, 165],
  [/\bA16\b/, 200, 36],
  [/\bA10G?\b/, 600, 125],
  [/\bA2\b/, 200, 18],
  [/\bT4\b/, 320, 65],
  [/\bP100\b/, 732, 19],
  [/\bP40\b/, 347, 12],
  // NVIDIA workstations
  [/RTX PRO 6000/, 1792, 500],
  [/RTX PRO 5000/, 1344, 330],
  [/RTX PRO 4500/, 896, 220],
  [/RTX PRO 4000/, 672, 170],
  [/RTX 6000 Ada/, 960, 364],
  [/RTX 5000 Ada/, 576, 261],
  [/RTX 4500 Ada/, 432, 158],
  [/RTX 4000.*Ada/, 360, 107],
  [/A6000/, 768, 155],
  [/A5500/, 768, 136],
  [/A5000/, 768, 111],
  [/A4500/, 640, 94],
  [/A4000/, 448, 76],
  [/Quadro RTX 8000|Quadro RTX 6000/, 672, 130],
  // NVIDIA GeForce; laptops have less than their names say
  [/RTX 5090.*Laptop/, 896, 110],
  [/RTX 5090/, 1792, 210],
  [/RTX 5080.*Laptop/, 896, 80],
  [/RTX 5080/, 960, 113],
  [/RTX 5070 Ti/, 896, 88],
  [/RTX 5070/, 672, 62],
  [/RTX 5060 Ti/, 448, 47],
  [/RTX 5060/, 448, 38],
  [/RTX 4090.*Laptop/, 576, 78],
  [/RTX 4090/, 1008, 165],
  [/RTX 4080 SUPER/i, 736, 104],
  [/RTX 4080.*Laptop/, 432, 62],
  [/RTX 4080/, 717, 97],
  [/RTX 4070 Ti SUPER/i, 672, 88],
  [/RTX 4070 Ti/, 504, 80],
  [/RTX 4070.*Laptop/, 256, 36],
  [/RTX 4070/, 504, 58],
  [/RTX 4060 Ti/, 288, 44],
  [/RTX 4060/, 272, 30],
  [/RTX 3090 Ti/, 1008, 80],
  [/RTX 3090/, 936, 71],
  [/RTX 3080 Ti/, 912, 68],
  [/RTX 3080.*12\s?GB/, 912, 61],
  [/RTX 3080/, 760, 60],
  [/RTX 3070 Ti/, 608, 43],
  [/RTX 3070/, 448, 41],
  [/RTX 3060 Ti/, 448, 32],
  [/RTX 3060/, 360, 25],
  [/RTX 3050/, 224, 18],
  [/RTX 2080 Ti/, 616, 54],
  [/RTX 2080/, 448, 40],
  [/RTX 2070/, 448, 30],
  [/RTX 2060/, 336, 26],
  [/GTX 1080 Ti/, 484, 11],
  // AMD
  [/MI355X|MI350X/, 8000, 2300],
  [/MI325X/, 6000, 1307],
  [/MI300X/, 5300, 1307],
  [/MI300A/, 5300, 980],
  [/MI250X?/, 1638, 191],
  [/MI210/, 1638, 181],
  [/MI100/, 1229, 184],
  [/MI60/, 1024, 29],
  [/MI50/, 1024, 26],
  [/R9700/, 640, 191],
  [/RX 9070 XT/, 640, 195],
  [/RX 9070/, 640, 145],
  [/W7900/, 864, 122],
  [/W7800/, 576, 90],
  [/RX 7900 XTX/, 960, 123],
  [/RX 7900 XT/, 800, 103],
  [/RX 7900 GRE/, 576, 92],
  [/RX 7800 XT/, 624, 75],
  [/RX 6900 XT|RX 6800/, 512, 40],
  // Intel
  [/B60/, 456, 98],
  [/B580/, 456, 117],
  [/B570/, 380, 101],
  [/A770/, 560, 138],
  [/A750/, 512, 118],
  [/A380/, 186, 34],
  // Apple
  [/M5 Max/, 614, 36],
  [/M5 Pro/, 307, 18],
  [/M5/, 153, 9],
  [/M4 Max/, 546, 34],
  [/M4 Pro/, 273, 17],
  [/M4/, 120, 8.5],
  [/M3 Ultra/, 819, 57],
  [/M3 Max/, 400, 28],
  [/M3 Pro/, 150, 14],
  [/M3/, 100, 7],
  [/M2 Ultra/, 800, 54],
  [/M2 Max/, 400, 27],
  [/M2 Pro/, 200, 13.6],
  [/M2/, 100, 7],
  [/M1 Ultra/, 800, 42],
  [/M1 Max/, 400, 21],
  [/M1 Pro/, 200, 10.4],
  [/M1/, 68, 5.2],
];

/** Cards of the last ten years that hold a language model at all. */
const unknown: Record<"apple" | "other", DevicePerformance> = {
  apple: performance(100, 400, 5, 30),
  other: performance(200, 1000, 10, 120),
};

/** What a GPU of this name can do; a wide range where the name is not known. */
export function devicePerformance(name: string, vendor: string): DevicePerformance {
  const match = known.find(([pattern]) => pattern.test(name));
  if (match) return performance(match[1], match[1], match[2], match[2]);
  return /apple/i.test(vendor) ? unknown.apple : unknown.other;
}

/**
 * What main memory and processor can do. Two channels of DDR4-3200 give 51 GB/s, of DDR5-6000 96 GB/s; servers with many
 * cores have 8 to 12 channels (205 to 576 GB/s), and one core of them can draw 40. A core reaches from 20 GFLOPS (AVX2) to
 * 300 giga-operations per second (AVX512-VNNI on 8-bit weights) in llama.cpp's kernels.
 */
export function cpuPerformance(physicalCores: number): DevicePerformance {
  const cores = Math.max(1, physicalCores);
  const [low, high] = cores > 24 ? [150, 460] : cores > 16 ? [60, 200] : [30, 90];
  return performance(Math.min(low, 12 * cores), Math.min(high, 45 * cores), cores * 0.02, cores * 0.3);
}

function performance(
  lowGigabytes: number,
  highGigabytes: number,
  lowTera: number,
  highTera: number,
): DevicePerformance {
  return {
    bytesPerSecond: { low: lowGigabytes * 1e9, high: highGigabytes * 1e9 },
    flops: { low: lowTera * 1e12, high: highTera * 1e12 },
  };
}
