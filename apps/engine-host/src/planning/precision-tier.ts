import type { PrecisionTier } from "@corral/protocol";

/** Bits per weight below which a quantization counts as the 4-bit, and from which as the 16-bit tier. */
const eightBit = 6;
const sixteenBit = 12;

/**
 * The precision tier a quantization belongs to. llama.cpp has no FP8 weights: Q8_0 (and Q6_K, which is nearer to 8 than to
 * 4 bits) stand for that tier, and the product says so.
 */
export function tierOf(quantization: string): PrecisionTier {
  const bits = bitsOf(quantization);
  if (bits >= sixteenBit) return "BF16";
  return bits >= eightBit ? "FP8" : "INT4";
}

/** The tier as a person reads it, for example "FP8 tier · Q8_0". */
export function tierLabel(quantization: string): string {
  const tier = tierOf(quantization);
  return tier === "BF16" ? `${tier} · ${quantization}` : `${tier} tier · ${quantization}`;
}

/** Nominal bits per weight, from the name: "Q4_K_M" → 4, "BF16" → 16, "MXFP4" → 4. */
function bitsOf(quantization: string): number {
  return Number(/\d+/.exec(quantization)?.[0] ?? 4);
}
