import { annotations } from "./json-schema-keywords.ts";
import { isObject, schemaLimits, type Json, type SchemaChecks } from "./json-schema-checks.ts";

/** The JSON pointer a `$ref` names. */
export function placeOf(checks: SchemaChecks, reference: unknown, pointer: string): string {
  if (typeof reference !== "string" || !/^#(\/|$)/.test(reference))
    checks.refuse(pointer, "$ref is only supported to a place in the same schema, as in #/$defs/name");
  checks.countCharacters(reference, pointer);
  try {
    return decodeURIComponent(reference.slice(1));
  } catch {
    checks.refuse(pointer, "$ref is not a valid reference");
  }
}

/** What stands at a JSON pointer. */
export function findPlace(checks: SchemaChecks, whole: unknown, target: string): unknown {
  let found: unknown = whole;
  for (const part of target.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const isThere = typeof found === "object" && found !== null && Object.hasOwn(found, key);
    if (!isThere) checks.refuse(target, "$ref leads to a place that is not there");
    found = (found as Json)[key];
  }
  return found;
}

/** allOf of objects that do not talk about the same properties, written as one; any other is refused. */
export function mergeAllOf(
  checks: SchemaChecks,
  whole: unknown,
  schema: Json,
  used: ReadonlySet<string>,
  pointer: string,
): unknown {
  const list = schema.allOf;
  if (!Array.isArray(list) || list.length === 0 || list.length > 100)
    checks.refuse(`${pointer}/allOf`, "allOf must be a list of 1 to 100 schemas");
  const others = [...used].filter((keyword) => keyword !== "allOf");
  const [only] = list as unknown[];
  if (list.length === 1 && others.length === 0) return only;
  const own: Json = Object.fromEntries(others.map((keyword) => [keyword, schema[keyword]]));
  const properties: Json = Object.create(null) as Json;
  const required: unknown[] = [];
  for (const part of [own, ...(list as unknown[])]) {
    const one = followed(checks, whole, part, `${pointer}/allOf`);
    for (const key in one) {
      const isMergeable = key === "properties" || key === "required" || (key === "type" && one.type === "object");
      if (!isMergeable && !annotations.has(key) && !key.startsWith("x-"))
        checks.refuse(
          `${pointer}/allOf`,
          `allOf is only supported of objects with nothing but properties and required, and there is ${key}`,
        );
    }
    if (Array.isArray(one.required)) required.push(...(one.required as unknown[]));
    if (!isObject(one.properties)) continue;
    for (const name in one.properties) {
      if (name in properties)
        checks.refuse(`${pointer}/allOf`, `allOf with ${name.slice(0, 40)} in two of its schemas is not supported`);
      properties[name] = one.properties[name];
    }
  }
  return { type: "object", properties, required };
}

/** A schema, or what it refers to. */
function followed(checks: SchemaChecks, whole: unknown, schema: unknown, pointer: string): Json {
  let found = schema;
  for (let steps = 0; isObject(found) && typeof found.$ref === "string"; steps++) {
    if (steps > schemaLimits.depth) checks.refuse(pointer, "$ref leads in a circle");
    found = findPlace(checks, whole, placeOf(checks, found.$ref, pointer));
  }
  if (!isObject(found)) checks.refuse(pointer, "a schema is an object");
  return found;
}
