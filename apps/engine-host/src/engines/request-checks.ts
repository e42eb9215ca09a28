import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

export { checkTools } from "./tool-call-grammar.ts";

/**
 * Refuses a JSON Schema no reply could be held to, by the name of the keyword that is not supported. Pure and quick: to be
 * called before a request waits for a model.
 * @param at what the field is called in errors, before the JSON pointer
 * @throws CorralError INVALID_INPUT with the pointer of the keyword as `field`
 */
export function checkJsonSchema(schema: unknown, at = ""): void {
  jsonSchemaGrammar(schema, at);
}
