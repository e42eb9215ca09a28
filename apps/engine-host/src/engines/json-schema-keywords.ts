import type { JsonType } from "./json-schema-node.ts";

/** Keywords that say nothing about which values are valid. */
export const annotations = new Set([
  ...["title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly"],
  ...["$schema", "$id", "id", "$comment", "$defs", "definitions", "discriminator", "externalDocs", "strict"],
]);
/** Keywords by the type of the values they constrain. */
export const ofObjects = ["properties", "required", "additionalProperties", "minProperties", "maxProperties"];
export const ofArrays = ["items", "prefixItems", "additionalItems", "minItems", "maxItems"];
export const ofStrings = ["minLength", "maxLength", "pattern", "format"];
export const ofNumbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
/** All keywords that are understood. */
export const known = new Set([
  ...["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable"],
  ...[...ofObjects, ...ofArrays, ...ofStrings, ...ofNumbers],
]);
/** The values of `type`. */
export const types = new Set<JsonType>(["null", "boolean", "integer", "number", "string", "array", "object"]);
