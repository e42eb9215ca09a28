import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import packageDescription from "../package.json" with { type: "json" };

/** Port of `corral serve` when none is given. */
export const DEFAULT_PORT = 7410;

/** Version of this program. */
export const appVersion: string = packageDescription.version;

const here = dirname(fileURLToPath(import.meta.url));
/** Run from TypeScript sources in the repository; else bundled into one folder of the packed app. */
const fromSources = import.meta.url.endsWith(".ts");

/** What ships with Corral: the reader model, samples, licences. */
export const defaultResourcesDirectory = fromSources ? join(here, "../../../resources") : join(here, "../corral");

/** The built web interface. */
export const defaultUiDirectory = fromSources ? join(here, "../../../packages/ui/dist") : join(here, "../ui");
