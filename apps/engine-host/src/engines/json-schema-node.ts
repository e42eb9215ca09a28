import type { DecimalBound } from "./decimal-grammar.ts";
import type { Pattern } from "./pattern-parser.ts";

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

/** A JSON Schema that was read and found enforceable. */
export type SchemaNode =
  /** Any JSON value. */
  | { kind: "any" }
  /** One of these JSON texts. */
  | { kind: "literals"; texts: string[] }
  | { kind: "boolean" }
  | { kind: "null" }
  | { kind: "string"; least: number; most: number | null }
  | { kind: "pattern"; pattern: Pattern }
  /** Name of one of string-formats.ts. */
  | { kind: "format"; format: string }
  | { kind: "integer"; minimum: DecimalBound | null; maximum: DecimalBound | null }
  /** decimals: most digits after the point; null: free. */
  | { kind: "number"; minimum: DecimalBound | null; maximum: DecimalBound | null; decimals: number | null }
  /** rest: of the items behind `first`; null: there are none. most null: without end. */
  | { kind: "array"; first: SchemaNode[]; rest: SchemaNode | null; least: number; most: number | null }
  | ObjectNode
  | { kind: "union"; members: SchemaNode[] }
  /** The schema at this place of the whole (a JSON pointer), for schemas that refer to themselves. */
  | { kind: "reference"; target: string };

export interface ObjectNode {
  kind: "object";
  properties: { name: string; node: SchemaNode; isRequired: boolean }[];
  /** Of properties besides; null: there are none. */
  additional: SchemaNode | null;
  /** How many of those, at the least and the most; null: without end. */
  least: number;
  most: number | null;
}

/** A whole schema: its root, and what is referred to, by JSON pointer. */
export interface Schema {
  root: SchemaNode;
  targets: ReadonlyMap<string, SchemaNode>;
  /** How many schemas it is made of. */
  parts: number;
}

/** Types of the values a node allows. Integers are numbers, and stand for themselves where only they are allowed. */
export function typesOf(node: SchemaNode, resolve: (target: string) => SchemaNode): Set<JsonType> {
  switch (node.kind) {
    case "any":
      return new Set(["null", "boolean", "number", "string", "array", "object"]);
    case "literals":
      return new Set(node.texts.map((text) => typeOfValue(JSON.parse(text))));
    case "pattern":
    case "format":
      return new Set(["string"]);
    case "union":
      return new Set(node.members.flatMap((member) => [...typesOf(member, resolve)]));
    case "reference":
      return typesOf(resolve(node.target), resolve);
    default:
      return new Set([node.kind]);
  }
}

export function typeOfValue(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as "boolean" | "string" | "object";
}

/**
 * Whether no value is allowed by both, as far as types, fixed values and fixed properties tell.
 * @param budget comparisons that may still be made; without any left nothing is proven
 */
export function areDisjoint(
  a: SchemaNode,
  b: SchemaNode,
  resolve: (target: string) => SchemaNode,
  budget = { left: 10_000 },
): boolean {
  if (budget.left-- <= 0) return false;
  const [left, right] = [a, b].map((node) => (node.kind === "reference" ? resolve(node.target) : node));
  if (!left || !right) return false;
  if (left.kind === "union") return left.members.every((member) => areDisjoint(member, right, resolve, budget));
  if (right.kind === "union") return right.members.every((member) => areDisjoint(left, member, resolve, budget));
  if (left.kind === "literals" && right.kind === "literals") {
    const values = new Set(left.texts.map(canonical));
    return right.texts.every((text) => !values.has(canonical(text)));
  }
  const wide = (types: Set<JsonType>) => new Set([...types].map((type) => (type === "integer" ? "number" : type)));
  const [leftTypes, rightTypes] = [wide(typesOf(left, resolve)), wide(typesOf(right, resolve))];
  if (![...leftTypes].some((type) => rightTypes.has(type))) return true;
  if (left.kind !== "object" || right.kind !== "object") return false;
  // What the grammar writes counts: only declared properties where no others are asked for.
  return left.properties.some(({ name, node, isRequired }) => {
    const other = right.properties.find((property) => property.name === name);
    return isRequired && other?.isRequired === true && areDisjoint(node, other.node, resolve, budget);
  });
}

/** Ways into a union through unions and references: what a grammar must try for the first character. */
export function waysInto(node: SchemaNode, resolve: (target: string) => SchemaNode, most: number): number {
  if (node.kind === "reference") return waysInto(resolve(node.target), resolve, most);
  if (node.kind !== "union") return 1;
  let ways = 0;
  for (const member of node.members) {
    ways += waysInto(member, resolve, most - ways);
    if (ways > most) break;
  }
  return ways;
}

/** Whether some value fits, given the references of which that is known. A list that must hold itself has none. */
export function hasValue(node: SchemaNode, isKnown: (target: string) => boolean): boolean {
  switch (node.kind) {
    case "reference":
      return isKnown(node.target);
    case "union":
      return node.members.some((member) => hasValue(member, isKnown));
    case "object":
      return (
        node.properties.every(({ node: property, isRequired }) => !isRequired || hasValue(property, isKnown)) &&
        (node.least === 0 || node.additional === null || hasValue(node.additional, isKnown))
      );
    case "array":
      return (
        node.first.slice(0, node.least).every((item) => hasValue(item, isKnown)) &&
        (node.least <= node.first.length || (node.rest !== null && hasValue(node.rest, isKnown)))
      );
    default:
      return true;
  }
}

/** Numbers that are equal are written alike. */
function canonical(text: string): string {
  return JSON.stringify(JSON.parse(text));
}
