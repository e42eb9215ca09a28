import { invalid } from "./api-error.ts";

/** OpenAI's own limits on structured output, where it has one. */
const limits = { depth: 32, nodes: 20_000, enumValues: 1_000, characters: 120_000 };

/**
 * Refuses a JSON Schema that is too large to become a grammar, without ever recursing into it.
 * @throws ApiError naming the limit
 */
export function checkSchemaSize(schema: Record<string, unknown>, param: string): void {
  let nodes = 0;
  let enumValues = 0;
  let characters = 0;
  const open: { value: unknown; depth: number }[] = [{ value: schema, depth: 0 }];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const { value, depth } = entry;
    if (typeof value === "string") characters += value.length;
    if (typeof value !== "object" || value === null) continue;
    // Each level of a schema is two of its text: the object and the "properties" around it.
    if (depth > limits.depth * 2) throw invalid(param, `${param} is nested deeper than ${limits.depth} levels.`);
    for (const [key, child] of Object.entries(value)) {
      if (++nodes > limits.nodes) throw invalid(param, `${param} has more than ${limits.nodes} parts.`);
      if (!Array.isArray(value)) characters += key.length;
      if (key === "enum" && Array.isArray(child) && (enumValues += child.length) > limits.enumValues) {
        throw invalid(param, `${param} has more than ${limits.enumValues} enum values.`);
      }
      open.push({ value: child, depth: depth + 1 });
    }
    if (characters > limits.characters) {
      throw invalid(param, `${param} is longer than ${limits.characters} characters.`);
    }
  }
}
