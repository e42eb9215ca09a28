import { defineConfig } from "vitest/config";

/** Built output, and code that exists to be wrong. */
const exclude = ["**/node_modules/**", "**/dist/**", "tools/lint/fixtures/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          environment: "node",
          include: ["**/*.test.{ts,tsx}"],
          exclude: [...exclude, "**/*.model.test.ts", "e2e/**"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
          maxWorkers: 2,
          // Vitest empties style sheets, also those a test reads as text.
          css: { include: [/\.css\?raw$/] },
        },
      },
      {
        // Tests that load a real model in a real worker process. Their engines run one thread, so that two files side by side
        // leave each its core; with more they would compete.
        test: {
          name: "model",
          environment: "node",
          include: ["**/*.model.test.ts"],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "e2e",
          environment: "node",
          include: ["e2e/**/*.e2e.test.ts"],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
