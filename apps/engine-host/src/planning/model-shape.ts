import { CorralError, type ModelShape } from "@corral/protocol";

/**
 * The largest value each number may have: well above any model there is, and small enough that no product of them leaves
 * the whole numbers a double holds exactly.
 */
const limits = {
  parameters: 1e14,
  layers: 4096,
  embeddingLength: 2 ** 20,
  feedForwardLength: 2 ** 22,
  heads: 2 ** 14,
  keyValueHeads: 2 ** 14,
  keyLength: 2 ** 14,
  valueLength: 2 ** 14,
  vocabularySize: 2 ** 23,
  trainContextSize: 2 ** 26,
} as const satisfies Record<Exclude<keyof ModelShape, "architecture">, number>;

/**
 * Refuses a shape no model can have: from a header or a file nobody vouches for.
 * @throws CorralError INVALID_INPUT with the field's name
 */
export function checkShape(shape: ModelShape): void {
  for (const [field, most] of Object.entries(limits)) {
    const value: unknown = shape[field as keyof typeof limits];
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > most) {
      throw refused(field, `${field} must be a whole number from 1 to ${most}, not ${String(value)}`);
    }
  }
  if (typeof shape.architecture !== "string" || shape.architecture === "") {
    throw refused("architecture", "architecture must be a name");
  }
  if (shape.keyValueHeads > shape.heads) {
    throw refused("keyValueHeads", `keyValueHeads (${shape.keyValueHeads}) cannot exceed heads (${shape.heads})`);
  }
}

function refused(field: string, reason: string): CorralError<"INVALID_INPUT"> {
  return new CorralError("INVALID_INPUT", `This is not the shape of a model: ${reason}.`, { field, reason });
}
