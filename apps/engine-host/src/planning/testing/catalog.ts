import { readFileSync } from "node:fs";
import { modelCatalog } from "@corral/protocol";
import type { PlannedModel } from "../plan-load.ts";

/** The catalog that ships, for tests. */
export const catalog: readonly PlannedModel[] = modelCatalog.parse(
  JSON.parse(readFileSync(new URL("../../../../../resources/catalog/models.json", import.meta.url), "utf8")),
).models;

/** "8b" → Llama 3.1 8B. */
export function catalogModel(size: "1b" | "3b" | "8b" | "70b" | "405b"): PlannedModel {
  const family = size === "1b" || size === "3b" ? "3.2" : "3.1";
  const model = catalog.find(({ id }) => id === `llama-${family}-${size}-instruct`);
  if (!model) throw new Error(`The catalog lacks ${size}.`);
  return model;
}
