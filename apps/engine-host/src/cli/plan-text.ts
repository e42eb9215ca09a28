import type { DeviceMemory, LoadPlan } from "@corral/protocol";
import { bytes, table } from "./output.ts";

const barWidth = 48;
const parts = [
  { sign: "W", field: "weightsBytes" },
  { sign: "K", field: "kvCacheBytes" },
  { sign: "C", field: "computeBytes" },
  { sign: "O", field: "overheadBytes" },
  { sign: "R", field: "reserveBytes" },
  { sign: "x", field: "usedByOthersBytes" },
] as const;
const legend = "W weights  K KV cache  C compute  O overhead  R reserve  x used by others  . free";
const where = {
  gpu: "one GPU",
  "multi-gpu": "several GPUs",
  partial: "GPU and processor",
  cpu: "the processor",
  none: "nothing",
};

/** A plan as text: what, where, how much memory, how fast, and why. */
export function describePlan(plan: LoadPlan): string {
  const sum = (of: (device: DeviceMemory) => number) => plan.devices.reduce((total, device) => total + of(device), 0);
  const what = `${plan.tier} · ${plan.quantization}, KV cache ${plan.kvCacheType}, context ${tokens(plan.contextSize)}`;
  const { decodeTokensPerSecond: decode, prefillTokensPerSecond: prefill, loadSeconds } = plan.estimate;
  const facts = [
    ["Slots", plan.slots.map(({ contextSize, count }) => `${count} × ${tokens(contextSize)}`).join(", ")],
    ["Weights alone", bytes(sum(({ weightsBytes }) => weightsBytes))],
    [`All at ${tokens(plan.contextSize)} tokens`, bytes(sum(neededBytes))],
    [
      plan.estimate.measured ? "Measured" : "Estimate",
      `${decode.low} to ${decode.high} tokens/s, prompt ${prefill.low} to ${prefill.high} tokens/s`,
    ],
    ["", `load about ${loadSeconds} s`],
  ];
  return [
    plan.fits
      ? `${plan.model}: ${what}, on ${where[plan.placement]}`
      : `${plan.model} does not fit: ${bytes(plan.missingBytes)} missing (${what})`,
    table(facts.map((row) => row.map((cell, column) => (column === 0 ? `  ${cell}` : cell)))),
    "",
    ...plan.devices.flatMap((device) => [
      `  ${device.name}: ${bytes(neededBytes(device))} of ${bytes(device.freeBytes)} free`,
      `  [${bar(device)}]`,
    ]),
    `  ${legend}`,
    "",
    ...plan.reasons.map((reason) => `  · ${reason}`),
    ...alternativesText(plan),
  ].join("\n");
}

function alternativesText({ alternatives }: LoadPlan): string[] {
  if (alternatives.length === 0) return [];
  const rows = alternatives.map((other) => [
    `  ${other.tier} · ${other.quantization}`,
    other.kvCacheType,
    tokens(other.contextSize),
    other.fits ? "fits" : `${bytes(other.missingBytes)} missing`,
  ]);
  return ["", "  Other choices (whole, on the same kind of device):", table(rows)];
}

function bar(device: DeviceMemory): string {
  const whole = Math.max(device.totalBytes, neededBytes(device) + device.usedByOthersBytes, 1);
  let drawn = 0;
  let sum = 0;
  let text = "";
  for (const { sign, field } of parts) {
    sum += device[field];
    const end = Math.round((sum / whole) * barWidth);
    text += sign.repeat(Math.max(0, end - drawn));
    drawn = Math.max(drawn, end);
  }
  return text.padEnd(barWidth, ".");
}

function neededBytes(device: DeviceMemory): number {
  const { weightsBytes, kvCacheBytes, computeBytes, overheadBytes, reserveBytes } = device;
  return weightsBytes + kvCacheBytes + computeBytes + overheadBytes + reserveBytes;
}

function tokens(count: number): string {
  return count.toLocaleString("en-US");
}
