import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { launchBrowser } from "../e2e/browser.ts";
import { median, progress, report, round } from "./report.ts";
import { serveHost } from "./served-host.ts";

/**
 * `npm run bench -- start [ROUNDS]`: from starting `corral serve` on an empty data directory to a screen on which a question can be
 * sent, in a browser that already runs.
 */
export async function run([rounds = "5"]: string[]): Promise<void> {
  execFileSync(process.execPath, [resolve(import.meta.dirname, "../tools/build-ui.ts")], { stdio: "inherit" });
  const browser = await launchBrowser();
  try {
    const ready: number[] = [];
    const usable: number[] = [];
    for (let index = 0; index < Number(rounds); index++) {
      const start = performance.now();
      await using host = await serveHost();
      ready.push(host.startMs);
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(host.url);
      await page.getByLabel("Your question").fill("Which screen is the first?");
      // Enabled once the page has shaken hands with the host.
      await page.getByRole("button", { name: "Send", exact: true, disabled: false }).waitFor();
      usable.push(performance.now() - start);
      await context.close();
      progress(`  round ${index + 1}: ${round(usable.at(-1)!, 0)} ms`);
    }
    report(
      "start",
      {
        "From `corral serve` on an empty data directory, ms": [
          { until: "the address is printed", median: round(median(ready), 0), longest: round(Math.max(...ready), 0) },
          { until: "a question can be sent", median: round(median(usable), 0), longest: round(Math.max(...usable), 0) },
        ],
      },
      {},
    );
  } finally {
    await browser.close();
  }
}
