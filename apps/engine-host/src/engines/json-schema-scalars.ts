import { boundDecimals, type DecimalBound } from "./decimal-grammar.ts";
import type { Json, SchemaChecks } from "./json-schema-checks.ts";
import type { SchemaNode } from "./json-schema-node.ts";
import { lengthsOf, parsePattern, PatternProblem } from "./pattern-parser.ts";
import { stringFormats } from "./string-formats.ts";

/** Formats of numbers (OpenAPI) that every number within 15 digits has, and those that bound it. */
const numberFormats = new Map([
  ["int32", [-(2 ** 31), 2 ** 31 - 1]],
  ["uint32", [0, 2 ** 32 - 1]],
  ["int64", null],
  ["float", null],
  ["double", null],
]);

/** @throws CorralError INVALID_INPUT */
export function readString(checks: SchemaChecks, schema: Json, pointer: string): SchemaNode {
  const least = checks.count(schema, "minLength", pointer) ?? 0;
  const most = checks.count(schema, "maxLength", pointer);
  if (most !== null && least > most) checks.refuse(`${pointer}/minLength`, "minLength is more than maxLength");
  const hasLength = least > 0 || most !== null;
  if (schema.pattern !== undefined) {
    if (typeof schema.pattern !== "string") checks.refuse(`${pointer}/pattern`, "pattern must be a text");
    if (schema.format !== undefined) checks.refuse(`${pointer}/format`, "format beside pattern is not supported");
    checks.countCharacters(schema.pattern, `${pointer}/pattern`);
    try {
      const pattern = parsePattern(schema.pattern);
      const lengths = lengthsOf(pattern);
      const isWithin = lengths.least >= least && (most === null || (lengths.most !== null && lengths.most <= most));
      if (hasLength && !isWithin) {
        const keyword = schema.minLength === undefined ? "maxLength" : "minLength";
        checks.refuse(`${pointer}/${keyword}`, `${keyword} beside a pattern of other lengths is not supported`);
      }
      return { kind: "pattern", pattern };
    } catch (error) {
      if (!(error instanceof PatternProblem)) throw error;
      checks.refuse(`${pointer}/pattern`, `pattern with ${error.message} is not supported`);
    }
  }
  if (schema.format !== undefined) {
    const format = named(schema.format);
    if (!stringFormats.has(format)) checks.refuse(`${pointer}/format`, `format ${format} is not supported`);
    if (hasLength) checks.refuse(`${pointer}/format`, "format beside minLength or maxLength is not supported");
    return { kind: "format", format };
  }
  return { kind: "string", least, most };
}

/** @throws CorralError INVALID_INPUT */
export function readNumber(
  checks: SchemaChecks,
  type: "integer" | "number",
  schema: Json,
  pointer: string,
): SchemaNode {
  let [minimum, maximum] = [
    boundOf(checks, schema, "minimum", "exclusiveMinimum", pointer, Math.max),
    boundOf(checks, schema, "maximum", "exclusiveMaximum", pointer, Math.min),
  ];
  if (schema.format !== undefined) {
    const format = named(schema.format);
    const bounds = numberFormats.get(format);
    if (bounds === undefined) checks.refuse(`${pointer}/format`, `format ${format} is not supported`);
    minimum ??= bounds && { value: bounds[0] ?? 0, isExclusive: false };
    maximum ??= bounds && { value: bounds[1] ?? 0, isExclusive: false };
  }
  const step = schema.multipleOf;
  let decimals: number | null = null;
  if (step !== undefined) {
    decimals = [1, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001].indexOf(step as number);
    if (decimals < 0)
      checks.refuse(`${pointer}/multipleOf`, `multipleOf ${named(step)} is not supported (1, 0.1, 0.01 … are)`);
  }
  const isEmpty =
    type === "integer" ? integersBetween(minimum, maximum) <= 0 : isEmptyRange(minimum, maximum, decimals);
  if (isEmpty)
    checks.refuse(
      `${pointer}/${schema.minimum === undefined ? "exclusiveMinimum" : "minimum"}`,
      "minimum and maximum leave no number between them",
    );
  return type === "integer" ? { kind: "integer", minimum, maximum } : { kind: "number", minimum, maximum, decimals };
}

/** The narrower of two keywords. In draft 4 (and OpenAPI 3.0) the exclusive one is true or false. */
function boundOf(
  checks: SchemaChecks,
  schema: Json,
  inclusive: string,
  exclusive: string,
  pointer: string,
  narrower: (a: number, b: number) => number,
): DecimalBound | null {
  const value = (keyword: string) => {
    const number = schema[keyword];
    if (number === undefined || typeof number === "boolean") return null;
    if (typeof number !== "number" || !Number.isFinite(number) || Math.abs(number) >= 1e15)
      checks.refuse(`${pointer}/${keyword}`, `${keyword} must be a number of at most 15 digits`);
    if (Number(number.toFixed(boundDecimals)) !== number)
      checks.refuse(`${pointer}/${keyword}`, `${keyword} with more than ${boundDecimals} decimals is not supported`);
    return number;
  };
  const [at, beyond] = [value(inclusive), value(exclusive)];
  if (at !== null && beyond !== null) {
    const chosen = narrower(at, beyond);
    return { value: chosen, isExclusive: chosen === beyond };
  }
  if (beyond !== null) return { value: beyond, isExclusive: true };
  return at === null ? null : { value: at, isExclusive: schema[exclusive] === true };
}

function integersBetween(minimum: DecimalBound | null, maximum: DecimalBound | null): number {
  if (minimum === null || maximum === null) return Infinity;
  const from = minimum.isExclusive ? Math.floor(minimum.value) + 1 : Math.ceil(minimum.value);
  const to = maximum.isExclusive ? Math.ceil(maximum.value) - 1 : Math.floor(maximum.value);
  return to - from + 1;
}

function isEmptyRange(minimum: DecimalBound | null, maximum: DecimalBound | null, decimals: number | null): boolean {
  if (minimum === null || maximum === null) return false;
  if (decimals !== null) {
    const scaled = (bound: DecimalBound) => ({
      ...bound,
      value: Number((bound.value * 10 ** decimals).toFixed(boundDecimals)),
    });
    return integersBetween(scaled(minimum), scaled(maximum)) <= 0;
  }
  if (minimum.value !== maximum.value) return minimum.value > maximum.value;
  return minimum.isExclusive || maximum.isExclusive;
}

/** A value as an error names it. */
function named(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 40) : typeof value;
}
