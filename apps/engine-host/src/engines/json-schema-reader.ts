import { isObject, SchemaChecks, schemaLimits, type Json } from "./json-schema-checks.ts";
import { annotations, known, ofArrays, ofNumbers, ofObjects, ofStrings, types } from "./json-schema-keywords.ts";
import {
  areDisjoint,
  hasValue,
  typeOfValue,
  typesOf,
  waysInto,
  type JsonType,
  type Schema,
  type SchemaNode,
} from "./json-schema-node.ts";
import { findPlace, mergeAllOf, placeOf } from "./json-schema-places.ts";
import { readNumber, readString } from "./json-schema-scalars.ts";

/** Alternatives of alternatives, in all. */
const mostWays = 5000;

/**
 * Reads a JSON Schema (2020-12, and what is common of draft 7 and OpenAPI 3) and refuses by name what no grammar enforces.
 * Takes ms, whatever the schema.
 * @param at what the field is called in errors, before the JSON pointer
 * @throws CorralError INVALID_INPUT; its `field` is the JSON pointer of the keyword
 */
export function readJsonSchema(schema: unknown, at = ""): Schema {
  return new SchemaReader(schema, at).read();
}

class SchemaReader {
  readonly #whole: unknown;
  readonly #checks: SchemaChecks;
  readonly #targets = new Map<string, SchemaNode>();
  /** Referred to and not read yet. */
  readonly #open: string[] = [];
  /** What holds only once everything is read. */
  readonly #later: (() => void)[] = [];

  constructor(schema: unknown, at: string) {
    this.#whole = schema;
    this.#checks = new SchemaChecks(at);
  }

  read(): Schema {
    const root = this.#node(this.#whole, "", 0);
    this.#targets.set("", root);
    for (let target = this.#open.pop(); target !== undefined; target = this.#open.pop()) {
      if (!this.#targets.has(target))
        this.#targets.set(target, this.#node(findPlace(this.#checks, this.#whole, target), target, 0));
    }
    this.#refuseCircles();
    this.#refuseEndless();
    for (const check of this.#later) check();
    return { root, targets: this.#targets, parts: this.#checks.nodes };
  }

  #node(schema: unknown, pointer: string, depth: number): SchemaNode {
    this.#checks.countNode(pointer, depth);
    if (schema === true) return { kind: "any" };
    if (schema === false) this.#checks.refuse(pointer, "false allows no value at all");
    if (!isObject(schema)) this.#checks.refuse(pointer, "a schema is an object");
    const used = this.#keywords(schema, pointer);
    const node = this.#constrained(schema, used, pointer, depth);
    if (schema.nullable !== true) return node;
    return { kind: "union", members: [node, { kind: "null" }] };
  }

  /** The keywords that constrain. */
  #keywords(schema: Json, pointer: string): Set<string> {
    const used = new Set<string>();
    let count = 0;
    for (const key in schema) {
      if (++count > 200) this.#checks.refuse(pointer, "more than 200 keywords in one place are not supported");
      if (annotations.has(key) || key.startsWith("x-") || schema[key] === undefined) continue;
      if (!known.has(key)) this.#checks.refuse(`${pointer}/${escaped(key)}`, `${key.slice(0, 100)} is not supported`);
      if (key !== "nullable") used.add(key);
    }
    return used;
  }

  #constrained(schema: Json, used: Set<string>, pointer: string, depth: number): SchemaNode {
    const alone = (keyword: string, ...besides: string[]) => {
      for (const other of used) {
        if (other !== keyword && !besides.includes(other))
          this.#checks.refuse(`${pointer}/${other}`, `${other} beside ${keyword} is not supported`);
      }
    };
    if (used.has("$ref")) {
      alone("$ref");
      return this.#reference(schema.$ref, `${pointer}/$ref`);
    }
    if (used.has("const") || used.has("enum")) {
      const keyword = used.has("const") ? "const" : "enum";
      alone(keyword, "type");
      return this.#literals(keyword === "const" ? [schema.const] : schema.enum, schema, `${pointer}/${keyword}`);
    }
    for (const keyword of ["anyOf", "oneOf"]) {
      if (!used.has(keyword)) continue;
      alone(keyword, "type");
      return this.#union(schema, keyword, pointer, depth);
    }
    if (used.has("allOf")) {
      const merged = mergeAllOf(this.#checks, this.#whole, schema, used, pointer);
      return this.#node(merged, pointer, depth + 1);
    }
    const declared = this.#types(schema, used, pointer);
    const members = declared.map((type) => this.#typed(type, schema, pointer, depth));
    const [only] = members;
    return members.length === 1 && only ? only : { kind: "union", members };
  }

  #types(schema: Json, used: Set<string>, pointer: string): JsonType[] {
    if (!used.has("type")) {
      const uses = (keywords: string[]) => keywords.some((keyword) => used.has(keyword));
      const implied: JsonType[] = [];
      if (uses(ofObjects)) implied.push("object");
      if (uses(ofArrays)) implied.push("array");
      if (uses(ofStrings)) implied.push("string");
      if (uses(ofNumbers)) implied.push("number");
      // Nothing is constrained: any value.
      return implied.length > 0 ? implied : ["null", "boolean", "number", "string", "array", "object"];
    }
    const declared = Array.isArray(schema.type) ? (schema.type as unknown[]) : [schema.type];
    if (declared.length === 0 || declared.length > types.size || !declared.every((type) => types.has(type as JsonType)))
      this.#checks.refuse(`${pointer}/type`, "type must be one of, or a list of, the JSON types");
    return [...new Set(declared as JsonType[])];
  }

  #typed(type: JsonType, schema: Json, pointer: string, depth: number): SchemaNode {
    switch (type) {
      case "null":
      case "boolean":
        return { kind: type };
      case "string":
        return readString(this.#checks, schema, pointer);
      case "integer":
      case "number":
        return readNumber(this.#checks, type, schema, pointer);
      case "array":
        return this.#array(schema, pointer, depth);
      case "object":
        return this.#object(schema, pointer, depth);
    }
  }

  #array(schema: Json, pointer: string, depth: number): SchemaNode {
    const isOldTuple = Array.isArray(schema.items);
    const firstKeyword = isOldTuple ? "items" : "prefixItems";
    const restKeyword = isOldTuple ? "additionalItems" : "items";
    const firstSchemas = schema[firstKeyword] ?? [];
    if (!Array.isArray(firstSchemas))
      this.#checks.refuse(`${pointer}/${firstKeyword}`, `${firstKeyword} must be a list`);
    if (firstSchemas.length > schemaLimits.values)
      this.#checks.refuse(
        `${pointer}/${firstKeyword}`,
        `more than ${schemaLimits.values} ${firstKeyword} are not supported`,
      );
    const first = firstSchemas.map((item, index) => this.#node(item, `${pointer}/${firstKeyword}/${index}`, depth + 1));
    let rest: SchemaNode | null = null;
    if (schema[restKeyword] !== false) {
      // A tuple that says nothing about more items gets none: that is valid too.
      if (schema[restKeyword] !== undefined)
        rest = this.#node(schema[restKeyword], `${pointer}/${restKeyword}`, depth + 1);
      else if (first.length === 0) rest = { kind: "any" };
    }
    const least = this.#checks.count(schema, "minItems", pointer) ?? 0;
    let most = this.#checks.count(schema, "maxItems", pointer);
    if (rest === null) most = Math.min(most ?? first.length, first.length);
    if (most !== null && least > most) this.#checks.refuse(`${pointer}/minItems`, "minItems is more than there may be");
    return { kind: "array", first: most === null ? first : first.slice(0, most), rest, least, most };
  }

  #object(schema: Json, pointer: string, depth: number): SchemaNode {
    const declared = schema.properties ?? {};
    if (!isObject(declared)) this.#checks.refuse(`${pointer}/properties`, "properties must be an object");
    const declaredNames = Object.keys(declared);
    this.#checks.refuseMany(declaredNames.length, `${pointer}/properties`, "properties");
    const required = schema.required ?? [];
    if (
      !Array.isArray(required) ||
      required.length > schemaLimits.nodes ||
      !required.every((name) => typeof name === "string")
    )
      this.#checks.refuse(`${pointer}/required`, "required must be a list of names");
    const names = new Set(required);
    const properties: { name: string; node: SchemaNode; isRequired: boolean }[] = [];
    for (const name of declaredNames) {
      this.#checks.countName(name, `${pointer}/properties`);
      const isRequired = names.delete(name);
      // A property nobody may set is left out.
      if (declared[name] === false && !isRequired) continue;
      const node = this.#node(declared[name], `${pointer}/properties/${escaped(name)}`, depth + 1);
      properties.push({ name, node, isRequired });
    }
    const wantsMore = schema.additionalProperties !== undefined && schema.additionalProperties !== false;
    const isFree = schema.properties === undefined && schema.additionalProperties === undefined;
    let additional: SchemaNode | null = null;
    if (wantsMore) additional = this.#node(schema.additionalProperties, `${pointer}/additionalProperties`, depth + 1);
    else if (isFree) additional = { kind: "any" };
    for (const name of names) {
      if (schema.additionalProperties === false)
        this.#checks.refuse(`${pointer}/required`, `required names ${name.slice(0, 40)}, which is no property`);
      this.#checks.countName(name, `${pointer}/required`);
      properties.push({ name, node: additional ?? { kind: "any" }, isRequired: true });
    }
    const { least, most } = this.#howManyMore(schema, properties, additional, pointer);
    return { kind: "object", properties, additional, least, most };
  }

  /** minProperties and maxProperties, as far as they can be kept: a name may come twice, and then counts once. */
  #howManyMore(
    schema: Json,
    properties: { isRequired: boolean }[],
    additional: SchemaNode | null,
    pointer: string,
  ): { least: number; most: number | null } {
    const least = this.#checks.count(schema, "minProperties", pointer) ?? 0;
    const most = this.#checks.count(schema, "maxProperties", pointer);
    const sure = properties.filter(({ isRequired }) => isRequired).length;
    if (least > sure && !(least === 1 && properties.length === 0 && additional !== null))
      this.#checks.refuse(`${pointer}/minProperties`, "minProperties beyond the required properties is not supported");
    if (most !== null && most < properties.length)
      this.#checks.refuse(`${pointer}/maxProperties`, "maxProperties below the number of properties is not supported");
    return { least: Math.max(0, least - sure), most: most === null ? null : most - properties.length };
  }

  #literals(values: unknown, schema: Json, pointer: string): SchemaNode {
    if (!Array.isArray(values) || values.length === 0)
      this.#checks.refuse(pointer, "enum must be a list of at least one value");
    this.#checks.countValues(values.length, pointer);
    const allowed =
      schema.type === undefined
        ? null
        : new Set(this.#types(schema, new Set(["type"]), pointer.slice(0, pointer.lastIndexOf("/"))));
    const isAllowed = (type: JsonType) =>
      allowed === null || allowed.has(type) || (type === "integer" && allowed.has("number"));
    const texts = values
      .filter((value) => isAllowed(typeOfValue(value)))
      .map((value) => {
        const text = shallowText(value);
        if (text === null) this.#checks.refuse(pointer, "a fixed value nested more than 16 deep is not supported");
        this.#checks.countCharacters(text, pointer);
        return text;
      });
    if (texts.length === 0) this.#checks.refuse(pointer, "no value of it has the type that is asked for");
    return { kind: "literals", texts: [...new Set(texts)] };
  }

  #union(schema: Json, keyword: string, pointer: string, depth: number): SchemaNode {
    const list = schema[keyword];
    if (!Array.isArray(list) || list.length === 0)
      this.#checks.refuse(`${pointer}/${keyword}`, `${keyword} must be a list of schemas`);
    this.#checks.refuseMany(list.length, `${pointer}/${keyword}`, keyword);
    const members = list.map((member, index) => this.#node(member, `${pointer}/${keyword}/${index}`, depth + 1));
    const allowed = schema.type === undefined ? null : new Set(this.#types(schema, new Set(["type"]), pointer));
    this.#later.push(() => {
      const resolve = (target: string) => this.#resolve(target);
      if (allowed && members.some((member) => [...typesOf(member, resolve)].some((type) => !allowed.has(type))))
        this.#checks.refuse(`${pointer}/type`, `type beside ${keyword} of other types is not supported`);
      if (keyword !== "oneOf") return;
      if (members.length > 100) this.#checks.refuse(`${pointer}/oneOf`, "oneOf of more than 100 is not supported");
      for (const [index, member] of members.entries()) {
        const clash = members.findIndex((other, place) => place > index && !areDisjoint(member, other, resolve));
        if (clash >= 0)
          this.#checks.refuse(
            `${pointer}/oneOf`,
            `oneOf is only supported where no value fits two of it, and ${index} and ${clash} may overlap (anyOf is supported)`,
          );
      }
    });
    return { kind: "union", members };
  }

  #reference(reference: unknown, pointer: string): SchemaNode {
    const target = placeOf(this.#checks, reference, pointer);
    this.#open.push(target);
    return { kind: "reference", target };
  }

  #resolve(target: string): SchemaNode {
    const node = this.#targets.get(target);
    if (!node) throw new Error(`No schema at ${target}.`);
    return node.kind === "reference" ? this.#resolve(node.target) : node;
  }

  /** References that lead back to themselves without a value between stand for nothing. */
  #refuseCircles(): void {
    const done = new Set<string>();
    const visit = (node: SchemaNode, path: ReadonlySet<string>): void => {
      if (node.kind === "union") for (const member of node.members) visit(member, path);
      if (node.kind !== "reference" || done.has(node.target)) return;
      if (path.has(node.target)) this.#checks.refuse(node.target, "$ref leads in a circle");
      if (path.size > schemaLimits.depth)
        this.#checks.refuse(node.target, `$ref to $ref more than ${schemaLimits.depth} times is not supported`);
      const target = this.#targets.get(node.target);
      if (target) visit(target, new Set([...path, node.target]));
      done.add(node.target);
    };
    for (const [pointer, node] of this.#targets) visit(node, new Set([pointer]));
  }

  /** Values that must hold themselves are never complete; and unions of unions multiply. */
  #refuseEndless(): void {
    const resolve = (target: string) => this.#resolve(target);
    for (const [pointer, node] of this.#targets) {
      if (waysInto(node, resolve, mostWays) > mostWays)
        this.#checks.refuse(pointer, "so many alternatives within alternatives are not supported");
    }
    const finite = new Set<string>();
    for (let before = -1; before < finite.size;) {
      before = finite.size;
      for (const [pointer, node] of this.#targets) {
        if (!finite.has(pointer) && hasValue(node, (target) => finite.has(target))) finite.add(pointer);
      }
    }
    for (const pointer of this.#targets.keys())
      if (!finite.has(pointer)) this.#checks.refuse(pointer, "a value of it would have no end, as it must hold itself");
  }
}

function escaped(key: string): string {
  return key.slice(0, 100).replaceAll("~", "~0").replaceAll("/", "~1");
}

/** JSON text of a value that is not nested deeply; null: it is. */
function shallowText(value: unknown): string | null {
  const isShallow = (part: unknown, depth: number): boolean =>
    typeof part !== "object" ||
    part === null ||
    (depth < 16 && Object.values(part).every((item) => isShallow(item, depth + 1)));
  return isShallow(value, 0) ? (JSON.stringify(value) ?? "null") : null;
}
