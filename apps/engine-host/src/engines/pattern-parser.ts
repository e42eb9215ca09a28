import { complement, overlaps, setOf, union, type CharacterSet } from "./character-set.ts";

/** A regular expression without what only a backtracking matcher can do. */
export type Pattern =
  | { kind: "characters"; set: CharacterSet }
  | { kind: "sequence"; items: Pattern[] }
  | { kind: "choice"; items: Pattern[] }
  /** most null: without end. */
  | { kind: "repeat"; item: Pattern; least: number; most: number | null };

/** A part of a `pattern` that no grammar can enforce. The message names it. */
export class PatternProblem extends Error {}

const longestPattern = 1000;
const deepest = 30;
const mostRepetitions = 10_000;

const digits = setOf([[0x30, 0x39]]);
const word = setOf([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
/** ECMA-262's WhiteSpace and LineTerminator. */
const lineEnds = setOf([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]);
const space = union(
  lineEnds,
  setOf([
    [0x09, 0x09],
    [0x0b, 0x0c],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
  ]),
  setOf([
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
    [0xfeff, 0xfeff],
  ]),
);
const classes: Record<string, CharacterSet> = {
  d: digits,
  D: complement(digits),
  w: word,
  W: complement(word),
  s: space,
  S: complement(space),
};
const controls: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };
const anything: Pattern = { kind: "repeat", item: { kind: "characters", set: complement([]) }, least: 0, most: null };

/**
 * Reads a `pattern` of JSON Schema: ECMA-262 with the u flag, not anchored unless it says so.
 * @throws PatternProblem
 */
export function parsePattern(source: string): Pattern {
  if (source.length > longestPattern) throw new PatternProblem(`longer than ${longestPattern} characters`);
  const parser = new PatternParser(source);
  const pattern = parser.parse();
  refuseAmbiguous(pattern);
  return pattern;
}

/** Fewest and most characters of a text that matches. */
export function lengthsOf(pattern: Pattern): { least: number; most: number | null } {
  switch (pattern.kind) {
    case "characters":
      return { least: 1, most: 1 };
    case "sequence":
    case "choice": {
      const all = pattern.items.map(lengthsOf);
      const isSequence = pattern.kind === "sequence";
      const least = all.map((length) => length.least);
      const most = all.map((length) => length.most);
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
      return {
        least: isSequence ? sum(least) : Math.min(...least),
        most: most.includes(null) ? null : isSequence ? sum(most as number[]) : Math.max(...(most as number[])),
      };
    }
    case "repeat": {
      const item = lengthsOf(pattern.item);
      const most = item.most === 0 ? 0 : item.most === null || pattern.most === null ? null : item.most * pattern.most;
      return { least: item.least * pattern.least, most };
    }
  }
}

/**
 * A repetition whose rounds can be told apart in several ways, as in (a+)+, makes matchers run for ages; and one whose
 * round may be empty has no grammar.
 */
function refuseAmbiguous(pattern: Pattern): void {
  if (pattern.kind === "sequence" || pattern.kind === "choice") pattern.items.forEach(refuseAmbiguous);
  if (pattern.kind !== "repeat") return;
  refuseAmbiguous(pattern.item);
  if ((pattern.most ?? 2) < 2 || pattern.item.kind === "characters") return;
  if (lengthsOf(pattern.item).least === 0) throw new PatternProblem("it repeats something that may be empty");
  if (overlaps(openEnd(pattern.item), firsts(pattern.item)))
    throw new PatternProblem("it repeats a repetition, as (a+)+ does");
}

/** Characters a match may begin with. */
function firsts(pattern: Pattern): CharacterSet {
  switch (pattern.kind) {
    case "characters":
      return pattern.set;
    case "repeat":
      return pattern.most === 0 ? [] : firsts(pattern.item);
    case "choice":
      return union(...pattern.items.map(firsts));
    case "sequence": {
      const sets: CharacterSet[] = [];
      for (const item of pattern.items) {
        sets.push(firsts(item));
        if (lengthsOf(item).least > 0) break;
      }
      return union(...sets);
    }
  }
}

/** Characters by which a match may go on after it could have ended. */
function openEnd(pattern: Pattern): CharacterSet {
  switch (pattern.kind) {
    case "characters":
      return [];
    case "repeat": {
      const further = pattern.most === null || pattern.most > pattern.least ? firsts(pattern.item) : [];
      return union(further, openEnd(pattern.item));
    }
    case "choice":
      return union(...pattern.items.map(openEnd));
    case "sequence": {
      const sets: CharacterSet[] = [];
      for (const item of pattern.items.toReversed()) {
        sets.push(openEnd(item));
        if (lengthsOf(item).least > 0) break;
      }
      return union(...sets);
    }
  }
}

class PatternParser {
  readonly #characters: string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = [...source];
  }

  parse(): Pattern {
    const alternatives = [this.#outermost()];
    while (this.#take("|")) alternatives.push(this.#outermost());
    if (this.#at < this.#characters.length) throw new PatternProblem("a ) without its (");
    return choice(alternatives);
  }

  /** An alternative of the whole: anchored only where it says so. */
  #outermost(): Pattern {
    const isFromStart = this.#take("^");
    const items: Pattern[] = [];
    let isToEnd = false;
    while (!isToEnd && this.#at < this.#characters.length && !this.#sees("|") && !this.#sees(")")) {
      if (this.#take("$")) isToEnd = true;
      else items.push(this.#quantified());
    }
    if (isToEnd && this.#at < this.#characters.length && !this.#sees("|"))
      throw new PatternProblem("a $ that is not at its end");
    return sequence([...(isFromStart ? [] : [anything]), ...items, ...(isToEnd ? [] : [anything])]);
  }

  #alternatives(): Pattern {
    const alternatives: Pattern[] = [];
    do {
      const items: Pattern[] = [];
      while (this.#at < this.#characters.length && !this.#sees("|") && !this.#sees(")")) items.push(this.#quantified());
      alternatives.push(sequence(items));
    } while (this.#take("|"));
    return choice(alternatives);
  }

  #quantified(): Pattern {
    const item = this.#atom();
    const [least, most] = this.#quantifier() ?? [1, 1];
    if (this.#sees("*") || this.#sees("+") || this.#sees("{")) throw new PatternProblem("two quantifiers in a row");
    if (least === 1 && most === 1) return item;
    if (least > mostRepetitions || (most ?? 0) > mostRepetitions)
      throw new PatternProblem(`more than ${mostRepetitions} repetitions`);
    if (most !== null && least > most) throw new PatternProblem("a repetition whose numbers are in the wrong order");
    return { kind: "repeat", item, least, most };
  }

  #quantifier(): [number, number | null] | null {
    let found: [number, number | null] | null = null;
    if (this.#take("*")) found = [0, null];
    else if (this.#take("+")) found = [1, null];
    else if (this.#take("?")) found = [0, 1];
    else if (this.#sees("{")) {
      const text = this.#characters.slice(this.#at, this.#at + 16).join("");
      const [whole, least, comma, most] = /^\{(\d{1,6})(,)?(\d{1,6})?\}/.exec(text) ?? [];
      if (whole === undefined) throw new PatternProblem("a { that begins no repetition");
      this.#at += whole.length;
      found = [Number(least), most !== undefined ? Number(most) : comma === undefined ? Number(least) : null];
    }
    // Lazy or greedy makes no difference to what matches.
    if (found) this.#take("?");
    return found;
  }

  #atom(): Pattern {
    const character = this.#characters[this.#at];
    if (character === "(") return this.#group();
    if (character === "[") return { kind: "characters", set: this.#class() };
    this.#at++;
    switch (character) {
      case ".":
        return { kind: "characters", set: complement(lineEnds) };
      case "^":
      case "$":
        throw new PatternProblem(`a ${character} in its middle`);
      case "*":
      case "+":
      case "?":
      case "{":
      case "}":
      case "]":
        throw new PatternProblem(`a ${character} that is not escaped`);
      case "\\":
        return { kind: "characters", set: this.#escape() };
      default:
        return { kind: "characters", set: single(character?.codePointAt(0) ?? 0) };
    }
  }

  #group(): Pattern {
    this.#at++;
    if (this.#take("?")) {
      if (this.#sees("=") || this.#sees("!")) throw new PatternProblem(`lookahead (?${this.#characters[this.#at]}`);
      if (this.#take("<")) {
        if (this.#sees("=") || this.#sees("!")) throw new PatternProblem(`lookbehind (?<${this.#characters[this.#at]}`);
        while (this.#at < this.#characters.length && !this.#take(">")) this.#at++;
      } else if (!this.#take(":")) throw new PatternProblem(`(?${this.#characters[this.#at] ?? ""}`);
    }
    if (++this.#depth > deepest) throw new PatternProblem(`groups nested more than ${deepest} deep`);
    const inner = this.#alternatives();
    this.#depth--;
    if (!this.#take(")")) throw new PatternProblem("a ( without its )");
    return inner;
  }

  #class(): CharacterSet {
    this.#at++;
    const isNegated = this.#take("^");
    const sets: CharacterSet[] = [];
    while (!this.#take("]")) {
      if (this.#at >= this.#characters.length) throw new PatternProblem("a [ without its ]");
      const from = this.#classItem();
      const isRange = this.#sees("-") && this.#characters[this.#at + 1] !== "]";
      if (!isRange) {
        sets.push(from);
        continue;
      }
      this.#at++;
      const to = this.#classItem();
      const [low, high] = [onlyOne(from), onlyOne(to)];
      if (low === null || high === null || low > high) throw new PatternProblem("a range of characters without order");
      sets.push([[low, high]]);
    }
    const set = union(...sets);
    return isNegated ? complement(set) : set;
  }

  #classItem(): CharacterSet {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new PatternProblem("a [ without its ]");
    if (character !== "\\") return single(character.codePointAt(0) ?? 0);
    if (this.#sees("b")) {
      this.#at++;
      return single(8);
    }
    return this.#escape();
  }

  /** After the backslash. */
  #escape(): CharacterSet {
    const character = this.#characters[this.#at++] ?? "";
    const named = classes[character];
    if (named) return named;
    const control = controls[character];
    if (control !== undefined) return single(control);
    const rest = this.#characters.slice(this.#at, this.#at + 10).join("");
    const hexadecimal =
      character === "x"
        ? /^([0-9a-f]{2})/i.exec(rest)
        : character === "u"
          ? (/^([0-9a-f]{4})/i.exec(rest) ?? /^\{([0-9a-f]{1,6})\}/i.exec(rest))
          : null;
    if (hexadecimal) {
      this.#at += hexadecimal[0].length;
      return single(Math.min(parseInt(hexadecimal[1] ?? "0", 16), 0x10ffff));
    }
    if (/[\^$\\.*+?()[\]{}|/\-"'#%&,:;<=>@`~! ]/.test(character)) return single(character.codePointAt(0) ?? 0);
    throw new PatternProblem(character === "" ? "a \\ at its end" : `\\${character}`);
  }

  #sees(character: string): boolean {
    return this.#characters[this.#at] === character;
  }

  #take(character: string): boolean {
    if (!this.#sees(character)) return false;
    this.#at++;
    return true;
  }
}

const single = (value: number): CharacterSet => [[value, value]];

function onlyOne(set: CharacterSet): number | null {
  const [range] = set;
  return set.length === 1 && range && range[0] === range[1] ? range[0] : null;
}

function sequence(items: Pattern[]): Pattern {
  const [only] = items;
  return items.length === 1 && only ? only : { kind: "sequence", items };
}

function choice(items: Pattern[]): Pattern {
  const [only] = items;
  return items.length === 1 && only ? only : { kind: "choice", items };
}
