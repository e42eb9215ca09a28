import { Parser } from "expr-eval-fork";
import { z } from "zod";
import { ToolFailure, type Tool } from "./tool.ts";

/** Characters; it also bounds the time, as without functions of one's own evaluation takes one step for each operator. */
const longestExpression = 1000;

/** Significant digits a result is told with: what a double holds for sure. */
const digits = 15;

const constants = { pi: Math.PI, e: Math.E };

/**
 * An evaluator of arithmetic: no variables but the constants, no assignment, no functions of one's own, no access to
 * properties, nothing that is not a number.
 */
const parser = new Parser({
  allowMemberAccess: false,
  operators: {
    assignment: false,
    fndef: false,
    in: false,
    concatenate: false,
    length: false,
    random: false,
    logical: false,
    comparison: false,
    conditional: false,
  },
});
const functions = ["min", "max", "hypot", "pow", "atan2", "roundTo"];
parser.functions = Object.fromEntries(
  functions.map((name) => [name, (parser.functions as Record<string, unknown>)[name]]),
);
parser.consts = {};

const input = z.object({ expression: z.string().max(longestExpression) });

export const calculator: Tool = {
  definition: {
    name: "calculator",
    description:
      "Evaluates arithmetic exactly, to 15 digits: + - * / % ^ ( ), sqrt, cbrt, abs, round, floor, ceil, ln, log10, exp, sin, cos, tan (radians), min, max, pi, e. Use it for every calculation.",
    parameters: {
      type: "object",
      properties: { expression: { type: "string", description: 'For example "1299 * 1.19 / 12".' } },
      required: ["expression"],
      additionalProperties: false,
    },
  },
  server: null,
  harmless: true,
  bringsText: false,
  fingerprint: "calculator",
  run: async (args) => ({ text: calculate(input.parse(args).expression), failed: false }),
};

/** @throws ToolFailure with what is wrong with the expression */
export function calculate(expression: string): string {
  let value: unknown;
  try {
    value = parser.parse(expression.replace(/\*\*/gu, "^").replace(/×/gu, "*").replace(/÷/gu, "/")).evaluate(constants);
  } catch (error) {
    throw new ToolFailure(`This is no arithmetic the calculator knows: ${error instanceof Error ? error.message : ""}`);
  }
  if (typeof value !== "number" || Number.isNaN(value)) throw new ToolFailure("The result is not a number.");
  if (!Number.isFinite(value))
    throw new ToolFailure("The result is infinite: something is divided by zero or too large.");
  return String(Number(value.toPrecision(digits)));
}
