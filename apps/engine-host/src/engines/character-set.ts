import { characterClass, group, type CodePointRange } from "./gbnf.ts";

/** A set of characters: ranges of code points, in order, apart from each other. */
export type CharacterSet = readonly CodePointRange[];

const lastCodePoint = 0x10ffff;
const surrogates: CodePointRange = [0xd800, 0xdfff];

/** Makes ranges a set: sorts and joins them. */
export function setOf(ranges: readonly CodePointRange[]): CharacterSet {
  const joined: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

export function complement(set: CharacterSet): CharacterSet {
  const outside: CodePointRange[] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) outside.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= lastCodePoint) outside.push([next, lastCodePoint]);
  return outside;
}

export function union(...sets: CharacterSet[]): CharacterSet {
  return setOf(sets.flat());
}

function difference(set: CharacterSet, other: CharacterSet): CharacterSet {
  return complement(union(complement(set), other));
}

export function overlaps(a: CharacterSet, b: CharacterSet): boolean {
  return a.some(([from, to]) => b.some((range) => range[0] <= to && from <= range[1]));
}

const has = (set: CharacterSet, value: number) => overlaps(set, [[value, value]]);

/** The one-letter escapes of JSON (RFC 8259, 7) beside those of the quotation mark and the backslash. */
const jsonEscapes: readonly [number, string][] = [
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0c, "f"],
  [0x0d, "r"],
];

/** What stands in a JSON text as itself: no control character, no quotation mark, no backslash, no surrogate. */
const direct: CharacterSet = complement(setOf([[0, 0x1f], [0x22, 0x22], [0x5c, 0x5c], surrogates]));

/**
 * One character of a set, as it stands between the quotation marks of a JSON string. Control characters without an escape
 * of one letter are left out.
 * @returns a GBNF expression; null: nothing is left
 */
export function jsonCharacter(set: CharacterSet): string | null {
  const alternatives: string[] = [];
  const plain = difference(set, complement(direct));
  if (plain.length > 0) alternatives.push(characterClass(plain));
  if (has(set, 0x22)) alternatives.push('"\\\\\\""');
  if (has(set, 0x5c)) alternatives.push('"\\\\\\\\"');
  for (const [value, letter] of jsonEscapes) if (has(set, value)) alternatives.push(`"\\\\${letter}"`);
  if (alternatives.length === 0) return null;
  return alternatives.length === 1 ? (alternatives[0] ?? null) : group(alternatives);
}
