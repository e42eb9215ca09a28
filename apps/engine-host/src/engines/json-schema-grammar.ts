import { CorralError } from "@corral/protocol";
import { complement, jsonCharacter, setOf } from "./character-set.ts";
import { decimalGrammar, integerGrammar } from "./decimal-grammar.ts";
import { Grammar, group, literal } from "./gbnf.ts";
import type { ObjectNode, Schema, SchemaNode } from "./json-schema-node.ts";
import { readJsonSchema } from "./json-schema-reader.ts";
import { patternGrammar } from "./pattern-grammar.ts";
import { stringFormats } from "./string-formats.ts";

/** llama.cpp reads such a grammar in well under a second. */
const mostCharacters = 2_000_000;

/** A grammar of which every text is JSON and valid by a schema. @throws CorralError INVALID_INPUT */
export function jsonSchemaGrammar(schema: unknown, at = ""): string {
  const grammar = new Grammar();
  const root = new SchemaGrammar(grammar, readJsonSchema(schema, at)).root();
  if (grammar.length > mostCharacters) {
    const reason = `a grammar of more than ${mostCharacters} characters would be needed`;
    throw new CorralError("INVALID_INPUT", `The JSON schema is too large: ${reason}.`, { field: at, reason });
  }
  return grammar.text(root);
}

/** Where white space may stand: none, a space, or a line with its indentation. */
const space = '(" " | "\\n" [ \\t]{0,20})?';
/** One character of a string. A lone half of a surrogate pair is no character. */
const character =
  '[^"\\\\\\x00-\\x1F] | "\\\\" (["\\\\/bfnrt] | "u" ([0-9a-cA-CefEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))';
/** One character of a name that is made up: without escapes it can be told from the names that are known. */
const nameCharacter = complement(
  setOf([
    [0, 0x1f],
    [0x22, 0x22],
    [0x5c, 0x5c],
    [0xd800, 0xdfff],
  ]),
);

/** Rules for the values of one schema, within a grammar that may have others. */
export class SchemaGrammar {
  readonly #grammar: Grammar;
  readonly #schema: Schema;
  readonly #references = new Map<string, string>();

  constructor(grammar: Grammar, schema: Schema) {
    this.#grammar = grammar;
    this.#schema = schema;
  }

  /** Name of the rule for the whole. */
  root(): string {
    return this.#reference("");
  }

  #reference(target: string): string {
    const known = this.#references.get(target);
    if (known !== undefined) return known;
    const name = this.#grammar.reserve("value");
    this.#references.set(target, name);
    const node = target === "" ? this.#schema.root : this.#schema.targets.get(target);
    if (!node) throw new Error(`No schema at ${target}.`);
    this.#grammar.define(name, this.#expression(node));
    return name;
  }

  #expression(node: SchemaNode): string {
    const { quote } = this;
    switch (node.kind) {
      case "any":
        return anyValue(this.#grammar);
      case "literals":
        return group(node.texts.map(literal));
      case "boolean":
        return '("true" | "false")';
      case "null":
        return '"null"';
      case "string": {
        const one = this.#grammar.rule("character", character);
        return quote(this.#grammar.repeat(one, node.least, node.most));
      }
      case "pattern":
        return quote(this.#grammar.rule("pattern", patternGrammar(this.#grammar, node.pattern)));
      case "format":
        return quote(this.#grammar.rule("format", stringFormats.get(node.format) ?? '""'));
      case "integer":
        return this.#grammar.rule("integer", integerGrammar(node));
      case "number":
        return decimalGrammar(this.#grammar, node, node.decimals);
      case "array":
        return this.#array(node);
      case "object":
        return this.#object(node);
      case "union":
        return this.#grammar.rule(
          "union",
          [...new Set(node.members.map((member) => this.#expression(member)))].join(" | "),
        );
      case "reference":
        return this.#reference(node.target);
    }
  }

  quote(content: string): string {
    return `("\\"" ${content} "\\"")`;
  }

  #array({ first, rest, least, most }: Extract<SchemaNode, { kind: "array" }>): string {
    const grammar = this.#grammar;
    const ws = grammar.rule("space", space);
    const items = first.map((item) => this.#expression(item));
    const more = rest === null ? null : grammar.rule("item", this.#expression(rest));
    // From the end: what may follow each place of the tuple.
    const next = (index: number) => (index === 0 ? "" : `"," ${ws} `);
    let tail = "";
    if (more !== null && (most === null || most > items.length)) {
      const [from, to] = [Math.max(0, least - items.length), most === null ? null : most - items.length];
      const further = grammar.rule("further", `"," ${ws} ${more}`);
      if (items.length > 0) tail = grammar.repeat(further, from, to);
      else {
        const list = `${more} ${grammar.repeat(further, Math.max(0, from - 1), to === null ? null : to - 1)}`;
        tail = from > 0 ? list : `(${list})?`;
      }
    }
    for (let index = items.length - 1; index >= 0; index--) {
      const list = `${next(index)}${items[index] ?? ""} ${tail}`;
      tail = index < least ? list : grammar.rule("optional", `(${list})?`);
    }
    return grammar.rule("array", `"[" ${ws} ${tail} ${ws} "]"`);
  }

  #object({ properties, additional, least, most }: ObjectNode): string {
    const grammar = this.#grammar;
    const ws = grammar.rule("space", space);
    const comma = `"," ${ws} `;
    let more = "";
    let moreAlone = "";
    if (additional !== null && most !== 0) {
      const name = this.#otherName(properties.map((property) => property.name));
      const pair = grammar.rule("pair", `${name} ":" ${ws} ${this.#expression(additional)}`);
      const further = grammar.rule("further", `${comma}${pair}`);
      more = grammar.repeat(further, least, most);
      const list = `${pair} ${grammar.repeat(further, Math.max(0, least - 1), most === null ? null : most - 1)}`;
      moreAlone = least > 0 ? list : `(${list})?`;
    }
    // From the last property to the first: what may follow when something was written before, and when nothing was.
    let [after, alone] = [more, moreAlone];
    for (const { name, node, isRequired } of properties.toReversed()) {
      const pair = `${literal(JSON.stringify(name))} ":" ${ws} ${this.#expression(node)}`;
      const following = after === "" ? "" : grammar.rule("rest", after);
      const skipped = alone === "" ? "" : grammar.rule("rest", alone);
      const written = `${pair} ${following}`;
      alone = isRequired ? written : `${written} | ${skipped || '""'}`;
      after = isRequired ? comma + written : `${comma}${written} | ${following || '""'}`;
    }
    return grammar.rule("object", `"{" ${ws} ${alone === "" ? "" : grammar.rule("first", alone)} ${ws} "}"`);
  }

  /** A quoted name that is none of these: character by character along the names, and off them at the latest at their end. */
  #otherName(names: readonly string[]): string {
    const grammar = this.#grammar;
    const plain = jsonCharacter(nameCharacter) ?? "";
    const end = grammar.rule("name-end", `${grammar.rule("name-character", plain)}{0,100} "\\""`);
    interface Branch {
      next: Map<string, Branch>;
      isName: boolean;
    }
    const root: Branch = { next: new Map(), isName: false };
    for (const name of names) {
      let branch = root;
      for (const letter of name) {
        const next = branch.next.get(letter) ?? { next: new Map(), isName: false };
        branch.next.set(letter, next);
        branch = next;
      }
      branch.isName = true;
    }
    const rule = ({ next, isName }: Branch): string => {
      const others = jsonCharacter(
        complement(setOf([...complement(nameCharacter), ...[...next.keys()].map((letter) => range(letter))])),
      );
      const alternatives = [...next]
        .filter(([letter]) => jsonCharacter([range(letter)])?.startsWith("[") === true)
        .map(([letter, branch]) => `${literal(letter)} ${rule(branch)}`);
      if (others !== null) alternatives.push(`${others} ${end}`);
      if (!isName) alternatives.push('"\\""');
      return grammar.rule("name", alternatives.join(" | "));
    };
    return `"\\"" ${rule(root)}`;
  }
}

function range(letter: string): readonly [number, number] {
  const value = letter.codePointAt(0) ?? 0;
  return [value, value];
}

/** Any JSON value. */
function anyValue(grammar: Grammar): string {
  const ws = grammar.rule("space", space);
  const text = grammar.rule("text", `"\\"" ${grammar.rule("character", character)}* "\\""`);
  const number = decimalGrammar(grammar, { minimum: null, maximum: null }, null);
  return grammar.shared("any", (value) => {
    const pair = grammar.rule("any-pair", `${text} ":" ${ws} ${value}`);
    const object = grammar.rule("any-object", `"{" ${ws} (${pair} ("," ${ws} ${pair})*)? ${ws} "}"`);
    const array = grammar.rule("any-array", `"[" ${ws} (${value} ("," ${ws} ${value})*)? ${ws} "]"`);
    return `${object} | ${array} | ${text} | ${number} | "true" | "false" | "null"`;
  });
}
