import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chromium, type Browser } from "playwright-core";

/** Where Chrome, Chromium and Edge put themselves. Any of them runs the same page. */
const installed = [
  process.env["CORRAL_TEST_BROWSER"] ?? "",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/microsoft-edge",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:/Program Files/Google/Chrome/Application/chrome.exe",
  "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
];

/**
 * Starts a real browser without a window: one that is installed here, else the Chromium that comes with the npm package
 * (Linux on x64 only). CORRAL_TEST_BROWSER names another.
 */
export async function launchBrowser(): Promise<Browser> {
  // Containers give /dev/shm too little room, and root may not use the sandbox.
  const args = ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox", "--no-zygote"] : [])];
  const executablePath = installed.find((path) => path !== "" && existsSync(path));
  return executablePath ? chromium.launch({ executablePath, args }) : launchBundled(args);
}

/** The package's own flags are for a cloud function and switch web security off, which is what the tests look at. */
async function launchBundled(args: string[]): Promise<Browser> {
  const { default: bundled, inflate } = await import("@sparticuz/chromium");
  const executablePath = await bundled.executablePath();
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  // Libraries that a machine without a desktop lacks (NSS), and fonts.
  const libraries = join(await inflate(join(dirname(entry), "../bin/al2023.tar.br")), "lib");
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: [libraries, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":"),
    ...(existsSync("/etc/fonts/fonts.conf") ? {} : { FONTCONFIG_PATH: join(tmpdir(), "fonts") }),
  };
  return chromium.launch({ executablePath, args, env: env });
}
