/**
 * Pieces of GBNF, llama.cpp's grammar notation (grammars/README.md there). An expression is text that may stand where one
 * symbol may: a quoted text, a class of characters, a rule's name or a group in parentheses.
 */

/** GBNF escapes; other control characters become \xNN. */
const escapes: Record<string, string> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Exactly this text, which holds no NUL (no grammar can express one). A lone surrogate has no UTF-8 form: it reads as U+FFFD. */
export function literal(text: string): string {
  const escaped = text.toWellFormed().replace(/[\\"\p{Cc}]/gu, (character) => {
    return escapes[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}

/** Code points from..to, both included. */
export type CodePointRange = readonly [from: number, to: number];

/** One character out of these. */
export function characterClass(ranges: readonly CodePointRange[]): string {
  return `[${ranges.map(([from, to]) => (from === to ? codePoint(from) : `${codePoint(from)}-${codePoint(to)}`)).join("")}]`;
}

function codePoint(value: number): string {
  const character = String.fromCodePoint(value);
  if (/[A-Za-z0-9]/.test(character)) return character;
  const hex = value.toString(16);
  if (value <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return value <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

export function group(alternatives: readonly string[]): string {
  const [only] = alternatives;
  return alternatives.length === 1 && only !== undefined ? `(${only})` : `(${alternatives.join(" | ")})`;
}

/** llama.cpp writes a repetition out, refuses more than 2,000 copies, and forgets larger maxima (`MAX_REPETITION_THRESHOLD`). */
const blockLength = 500;

/** The rules of one grammar. */
export class Grammar {
  readonly #rules = new Map<string, string>();
  readonly #names = new Map<string, string>();
  #length = 0;

  /** Adds a rule, or finds the one that says the same. @returns its name */
  rule(hint: string, expression: string): string {
    const known = this.#names.get(expression);
    if (known !== undefined) return known;
    const name = this.reserve(hint);
    this.define(name, expression);
    this.#names.set(expression, name);
    return name;
  }

  /** A name to be defined later: for rules that refer to themselves. */
  reserve(hint: string): string {
    const name = `${hint}-${this.#rules.size}`;
    this.#rules.set(name, "");
    return name;
  }

  /** A rule that refers to itself, made once. @returns its name */
  shared(name: string, expression: (itself: string) => string): string {
    const key = ` ${name}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const itself = this.reserve(name);
    this.#names.set(key, itself);
    this.define(itself, expression(itself));
    return itself;
  }

  define(name: string, expression: string): void {
    this.#length += name.length + expression.length;
    this.#rules.set(name, expression);
  }

  /** Characters of all rules so far. */
  get length(): number {
    return this.#length;
  }

  /** `item` from `least` to `most` times; null: without end. However large the numbers, the grammar stays small. */
  repeat(item: string, least: number, most: number | null): string {
    if (most === 0) return '""';
    const one = /^[\w-]+$/.test(item) ? item : this.rule("item", item);
    if (least === 0 && most === null) return `${one}*`;
    if (most !== null && most <= blockLength) return least === most ? `${one}{${most}}` : `${one}{${least},${most}}`;
    const block = this.rule("block", `${one}{${blockLength}}`);
    const whole = Math.floor(least / blockLength);
    const parts: string[] = [];
    if (whole > 0) parts.push(this.repeat(block, whole, whole));
    if (least % blockLength > 0) parts.push(`${one}{${least % blockLength}}`);
    if (most === null) parts.push(`${one}*`);
    else if (most > least) parts.push(this.#upTo(one, block, most - least));
    return parts.length === 1 ? (parts[0] ?? '""') : `(${parts.join(" ")})`;
  }

  /** Whole blocks as long as they go, then less than one. */
  #upTo(item: string, block: string, most: number): string {
    let rest = `${item}{0,${most % blockLength}}`;
    if (most % blockLength === 0) rest = '""';
    const less = `${item}{0,${blockLength - 1}}`;
    for (let left = Math.floor(most / blockLength); left > 0; left--) {
      rest = this.rule("up-to", `${block} ${rest} | ${less}`);
    }
    return rest;
  }

  /** The grammar's text. @param root what the whole text must be */
  text(root: string): string {
    return [`root ::= ${root}`, ...[...this.#rules].map(([name, expression]) => `${name} ::= ${expression}`)].join(
      "\n",
    );
  }
}
