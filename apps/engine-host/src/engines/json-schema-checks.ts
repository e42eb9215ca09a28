import { CorralError } from "@corral/protocol";

/** Within what OpenAI documents for structured outputs, and small enough to check in ms. */
export const schemaLimits = {
  depth: 64,
  nodes: 5000,
  /** Of `enum` and `const`, in all. */
  values: 1000,
  /** Of names, fixed values, patterns and references, in all. */
  characters: 120_000,
  name: 200,
  repetitions: 100_000,
} as const;

/** A schema as it was given. */
export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Counts what a schema is made of, and refuses what is too much or not supported, by its place. */
export class SchemaChecks {
  readonly #at: string;
  #nodes = 0;
  #values = 0;
  #characters = 0;

  /** @param at what the field is called in errors, before the JSON pointer */
  constructor(at: string) {
    this.#at = at;
  }

  get nodes(): number {
    return this.#nodes;
  }

  /** @throws CorralError INVALID_INPUT */
  refuse(pointer: string, reason: string): never {
    const field = `${this.#at}${pointer}`;
    const message = `The JSON schema cannot be enforced: ${field === "" ? "" : `${field}: `}${reason}. Change or leave out that part.`;
    throw new CorralError("INVALID_INPUT", message, { field, reason });
  }

  countNode(pointer: string, depth: number): void {
    const { depth: deepest, nodes } = schemaLimits;
    if (depth > deepest) this.refuse(pointer, `schemas nested more than ${deepest} deep are not supported`);
    if (++this.#nodes > nodes) this.refuse(pointer, `more than ${nodes} parts are not supported`);
  }

  /** Before any of so many parts is looked at. */
  refuseMany(count: number, pointer: string, keyword: string): void {
    const { nodes } = schemaLimits;
    if (count > nodes) this.refuse(pointer, `more than ${nodes} ${keyword} are not supported`);
  }

  countValues(count: number, pointer: string): void {
    this.#values += count;
    const { values } = schemaLimits;
    if (this.#values > values) this.refuse(pointer, `more than ${values} fixed values are not supported`);
  }

  countCharacters(text: string, pointer: string): void {
    this.#characters += text.length;
    const { characters } = schemaLimits;
    if (this.#characters > characters)
      this.refuse(pointer, `more than ${characters} characters of names and fixed values are not supported`);
  }

  countName(name: string, pointer: string): void {
    const { name: longest } = schemaLimits;
    if (name.length > longest) this.refuse(pointer, `names of more than ${longest} characters are not supported`);
    this.countCharacters(name, pointer);
  }

  /** A keyword that counts something; null: it is not there. */
  count(schema: Json, keyword: string, pointer: string): number | null {
    const value = schema[keyword];
    if (value === undefined) return null;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0)
      this.refuse(`${pointer}/${keyword}`, `${keyword} must be a whole number`);
    const { repetitions } = schemaLimits;
    if (value > repetitions) this.refuse(`${pointer}/${keyword}`, `${keyword} above ${repetitions} is not supported`);
    return value;
  }
}
