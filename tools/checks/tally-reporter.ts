import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule } from "vitest/node";

/** What one vitest run came to. */
export interface Tally {
  passed: number;
  failed: number;
  /** One line per skipped test: its name and the reason given to `ctx.skip`. */
  skipped: string[];
}

/** Writes a `Tally` as JSON to the file named by CORRAL_TALLY_FILE. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tally: Tally = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      // A file that could not be loaded, or a hook that threw, fails no single test.
      if (module.state() === "failed" && [...module.children.allTests("failed")].length === 0) tally.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") tally.passed++;
        else if (result.state === "failed") tally.failed++;
        else if (result.state === "skipped")
          tally.skipped.push(`${module.relativeModuleId} > ${test.fullName}: ${result.note ?? "no reason given"}`);
        else tally.failed++;
      }
    }
    const file = process.env["CORRAL_TALLY_FILE"];
    if (file) writeFileSync(file, JSON.stringify(tally));
  }
}
