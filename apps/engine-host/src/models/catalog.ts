import { readFile } from "node:fs/promises";
import { CorralError, modelCatalog } from "@corral/protocol";
import type { PlannedModel } from "../planning/plan-load.ts";

/**
 * The models Corral knows by name, best first: they can be planned for before a byte is downloaded.
 * @throws CorralError FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function readCatalog(path: string): Promise<PlannedModel[]> {
  const text = await readFile(path, "utf8").catch(() => {
    const message = `The list of known models is missing: ${path}. Install Corral again, or name its folder with --resources.`;
    throw new CorralError("FILE_NOT_FOUND", message, { file: path });
  });
  try {
    return modelCatalog.parse(JSON.parse(text)).models;
  } catch (error) {
    const reason = "it does not hold a list of models";
    const message = `The list of known models cannot be used: ${path} is damaged. Install Corral again.`;
    throw new CorralError("FILE_UNREADABLE", message, { file: path, reason }, { cause: error });
  }
}
