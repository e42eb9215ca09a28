/// <reference types="node" />
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

type Scheme = "light" | "dark";

/** The value of a colour token, without the overrides of media queries (which come after it in the file). */
function token(name: string, scheme: Scheme): string {
  const pair = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\);`).exec(css);
  if (!pair) throw new Error(`tokens.css has no opaque pair --${name}`);
  return scheme === "light" ? pair[1]! : pair[2]!;
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

const grounds = ["canvas", "sunken", "surface", "raised", "hover"];
const textPairs: [string, string][] = [
  ...grounds.flatMap((ground): [string, string][] => [
    ["ink", ground],
    ["ink-muted", ground],
    ["accent-ink", ground],
    ["danger-ink", ground],
    ["warning-ink", ground],
  ]),
  ["on-accent", "accent"],
  ["on-accent", "accent-hover"],
  ["accent-ink", "accent-soft"],
  ["ink", "accent-soft"],
  ["ink-muted", "accent-soft"],
  ["on-danger", "danger"],
  ["on-danger", "danger-hover"],
  ["danger-ink", "danger-soft"],
  ["ink", "danger-soft"],
  ["warning-ink", "warning-soft"],
  ["ink", "warning-soft"],
  ["mark-ink", "mark"],
  ["code-ink", "code-ground"],
  ["code-comment", "code-ground"],
  ["code-keyword", "code-ground"],
  ["code-string", "code-ground"],
  ["code-number", "code-ground"],
  ["code-function", "code-ground"],
];
const outlinePairs: [string, string][] = [
  ...["canvas", "sunken", "surface", "raised"].flatMap((ground): [string, string][] => [
    ["line-strong", ground],
    ["accent", ground],
    ["danger", ground],
    ["warning", ground],
    ["focus", ground],
    ["part-1", ground],
    ["part-2", ground],
    ["part-3", ground],
    ["part-4", ground],
  ]),
];

for (const scheme of ["light", "dark"] as const) {
  test.each(textPairs)(`${scheme}: %s on %s is readable (4.5:1)`, (text, ground) => {
    expect(contrast(token(text, scheme), token(ground, scheme))).toBeGreaterThanOrEqual(4.5);
  });
  test.each(outlinePairs)(`${scheme}: %s against %s can be seen (3:1)`, (line, ground) => {
    expect(contrast(token(line, scheme), token(ground, scheme))).toBeGreaterThanOrEqual(3);
  });
}

test("the formula gives the known extremes", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});
