/** A text of a GBNF grammar at random, for tests of what a grammar allows. Reads what gbnf.ts writes. */

type Part =
  | { kind: "text"; text: string }
  | { kind: "class"; isNegated: boolean; ranges: [number, number][] }
  | { kind: "rule"; name: string }
  | { kind: "group"; alternatives: Part[][] }
  | { kind: "repeat"; part: Part; least: number; most: number };

/** Most rounds of a repetition without end. */
const endless = 6;

export class GrammarSampler {
  readonly #rules = new Map<string, Part[][]>();
  /** Fewest rules within rules to come to an end. */
  readonly #heights = new Map<string, number>();
  readonly #random: () => number;

  /** @param random 0..1 */
  constructor(grammar: string, random: () => number) {
    this.#random = random;
    for (const line of grammar.split("\n")) {
      const [, name = "", body = ""] = /^([\w-]+) ::= (.*)$/.exec(line) ?? [];
      this.#rules.set(name, new Reader(body).alternatives());
    }
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      for (const [name, alternatives] of this.#rules) {
        const height = 1 + Math.min(...alternatives.map((parts) => this.#height(parts)));
        if (height < (this.#heights.get(name) ?? Infinity)) {
          this.#heights.set(name, height);
          isChanged = true;
        }
      }
    }
  }

  /** @param depth how deep it may wander before it takes the shortest way to an end */
  sample(depth = 12): string {
    return this.#rule("root", depth);
  }

  #rule(name: string, depth: number): string {
    return this.#choice(this.#rules.get(name) ?? [], depth - 1);
  }

  #choice(alternatives: Part[][], depth: number): string {
    const heights = alternatives.map((parts) => this.#height(parts));
    const possible = alternatives.filter((_, index) => heights[index] !== Infinity);
    const shortest = alternatives[heights.indexOf(Math.min(...heights))] ?? [];
    const chosen = depth > 0 ? (possible[Math.floor(this.#random() * possible.length)] ?? shortest) : shortest;
    return chosen.map((part) => this.#part(part, depth)).join("");
  }

  #part(part: Part, depth: number): string {
    switch (part.kind) {
      case "text":
        return part.text;
      case "class":
        return this.#character(part);
      case "rule":
        return this.#rule(part.name, depth);
      case "group":
        return this.#choice(part.alternatives, depth);
      case "repeat": {
        const most = Math.min(part.most, part.least + endless);
        // The ends are where mistakes are.
        const spread = part.most !== Infinity && this.#random() < 0.3 ? part.most : most;
        const wanted = part.least + Math.floor(this.#random() * (Math.min(spread, part.least + 600) - part.least + 1));
        const count = depth > 0 ? wanted : part.least;
        return Array.from({ length: count }, () => this.#part(part.part, depth - 1)).join("");
      }
    }
  }

  #character({ isNegated, ranges }: Extract<Part, { kind: "class" }>): string {
    if (isNegated) {
      const letters = [..."abz XYZ019_-.,:é漢😀{}[]<|>"];
      return letters[Math.floor(this.#random() * letters.length)] ?? "a";
    }
    const [from, to] = ranges[Math.floor(this.#random() * ranges.length)] ?? [65, 65];
    const width = Math.min(to - from, 300);
    return String.fromCodePoint(this.#random() < 0.2 ? to : from + Math.floor(this.#random() * (width + 1)));
  }

  #height(parts: readonly Part[]): number {
    let height = 0;
    for (const part of parts) {
      if (part.kind === "rule") height = Math.max(height, this.#heights.get(part.name) ?? Infinity);
      if (part.kind === "group")
        height = Math.max(height, Math.min(...part.alternatives.map((alternative) => this.#height(alternative))));
      if (part.kind === "repeat" && part.least > 0) height = Math.max(height, this.#height([part.part]));
    }
    return height;
  }
}

const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  alternatives(): Part[][] {
    const alternatives: Part[][] = [[]];
    for (;;) {
      while (this.#text[this.#at] === " ") this.#at++;
      const character = this.#text[this.#at];
      if (character === undefined || character === ")") return alternatives;
      if (character === "|") {
        this.#at++;
        alternatives.push([]);
        continue;
      }
      alternatives.at(-1)?.push(this.#repeated(this.#part()));
    }
  }

  #part(): Part {
    const character = this.#text[this.#at];
    if (character === "(") {
      this.#at++;
      const alternatives = this.alternatives();
      this.#at++;
      return { kind: "group", alternatives };
    }
    if (character === '"') {
      this.#at++;
      let text = "";
      while (this.#text[this.#at] !== '"') text += String.fromCodePoint(this.#codePoint());
      this.#at++;
      return { kind: "text", text };
    }
    if (character === "[") return this.#class();
    const token = /^<\[\d+\]>/.exec(this.#text.slice(this.#at))?.[0];
    if (token !== undefined) {
      this.#at += token.length;
      return { kind: "text", text: token };
    }
    const name = /^[\w-]+/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) throw new Error(`not GBNF at ${this.#text.slice(this.#at, this.#at + 40)}`);
    this.#at += name.length;
    return { kind: "rule", name };
  }

  #class(): Part {
    this.#at++;
    const isNegated = this.#text[this.#at] === "^";
    if (isNegated) this.#at++;
    const ranges: [number, number][] = [];
    while (this.#text[this.#at] !== "]") {
      const from = this.#codePoint();
      const isRange = this.#text[this.#at] === "-" && this.#text[this.#at + 1] !== "]";
      if (isRange) this.#at++;
      ranges.push([from, isRange ? this.#codePoint() : from]);
    }
    this.#at++;
    return { kind: "class", isNegated, ranges };
  }

  #codePoint(): number {
    if (this.#text[this.#at] !== "\\") {
      const value = this.#text.codePointAt(this.#at) ?? 0;
      this.#at += value > 0xffff ? 2 : 1;
      return value;
    }
    const rest = this.#text.slice(this.#at + 1, this.#at + 10);
    const digits = /^x([0-9a-fA-F]{2})|^u([0-9a-fA-F]{4})|^U([0-9a-fA-F]{8})/.exec(rest);
    if (digits) {
      this.#at += 1 + digits[0].length;
      return parseInt(digits[0].slice(1), 16);
    }
    this.#at += 2;
    return (escapes[rest[0] ?? ""] ?? rest[0] ?? "").codePointAt(0) ?? 0;
  }

  #repeated(part: Part): Part {
    const [whole, sign, least, comma, most] = /^(?:([*+?])|\{(\d+)(,)?(\d+)?\})/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined) return part;
    this.#at += whole.length;
    if (sign !== undefined)
      return { kind: "repeat", part, least: sign === "+" ? 1 : 0, most: sign === "?" ? 1 : Infinity };
    const from = Number(least);
    return { kind: "repeat", part, least: from, most: most !== undefined ? Number(most) : comma ? Infinity : from };
  }
}
