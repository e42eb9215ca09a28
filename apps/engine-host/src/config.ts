import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Port of `corral serve` when none is given. */
export const DEFAULT_PORT = 7410;

/** The folder that holds apps/, packages/ and resources/: the repository, or the packed app's resources. */
export const productDirectory = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** What ships with Corral: the reader model, samples, licences. CORRAL_RESOURCES names another folder (packed app). */
export function defaultResourcesDirectory(): string {
  return process.env["CORRAL_RESOURCES"] || join(productDirectory, "resources");
}

/** The built web interface. CORRAL_UI names another folder (packed app). */
export function defaultUiDirectory(): string {
  return process.env["CORRAL_UI"] || join(productDirectory, "packages/ui/dist");
}

/** Version of this program, from its own package.json. */
export const appVersion: string = readVersion();

function readVersion(): string {
  const file = join(dirname(fileURLToPath(import.meta.url)), "../package.json");
  if (!existsSync(file)) return "0.0.0";
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  const version = (parsed as { version?: unknown }).version;
  return typeof version === "string" ? version : "0.0.0";
}
