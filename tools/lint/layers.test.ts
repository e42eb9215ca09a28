import { ESLint } from "eslint";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import tseslint from "typescript-eslint";
import { beforeAll, describe, expect, test } from "vitest";
import { fileNamesRule } from "./file-names.ts";
import { layersRule } from "./layers.ts";

const fixtures = resolve(import.meta.dirname, "fixtures");

let messagesByFile: Map<string, string[]>;

beforeAll(async () => {
  const eslint = new ESLint({
    cwd: fixtures,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ["**/*.{ts,tsx}"],
        plugins: { corral: { rules: { layers: layersRule, "file-names": fileNamesRule } } },
        languageOptions: { parser: tseslint.parser },
        rules: {
          "corral/layers": ["error", { root: fixtures }],
          "corral/file-names": ["error", { root: fixtures }],
        },
      },
    ],
  });
  const results = await eslint.lintFiles(["."]);
  messagesByFile = new Map(
    results.map(({ filePath, messages }) => [
      filePath.slice(fixtures.length + 1),
      messages.map(({ message }) => message),
    ]),
  );
}, 60_000);

describe("the may-import table", () => {
  test.each([
    ["packages/ui/src/screens/imports-connection.tsx", "ui/screens must not import ui/connection."],
    ["packages/ui/src/screens/imports-protocol-value.tsx", "ui/screens may import only types from protocol"],
    ["packages/ui/src/stores/imports-node.ts", "ui/stores must not use Node's own modules (fs/promises)."],
    ["apps/engine-host/src/planning/imports-fs.ts", "planning must not use Node's own modules (node:fs)."],
    ["apps/engine-host/src/chat/imports-llama.ts", "Only inference-worker may import node-llama-cpp."],
    ["apps/engine-host/src/chat/imports-router.ts", "chat must not import router."],
    ["apps/engine-host/src/chat/imports-engine-kind.ts", "chat must not import engines."],
    ["apps/engine-host/src/chat/other-workspace.test.ts", "A test may reach only into its own workspace"],
    ["apps/engine-host/src/models/imports-sqlite.ts", "Only store may import node:sqlite."],
    ["apps/engine-host/src/inference-worker/imports-store.ts", "inference-worker must not import store."],
    ["apps/engine-host/src/ingestion/imports-parser.ts", "Only ingestion-worker may import @llamaindex/liteparse."],
    ["apps/desktop/src/main/imports-host.ts", "desktop/main must not import main."],
  ])("%s is refused", (file, reason) => {
    const messages = messagesByFile.get(file);
    expect(messages).toHaveLength(1);
    expect(messages?.[0]).toContain(reason);
    expect(messages?.[0]).toContain("See ARCHITECTURE.md#who-may-import-whom.");
  });

  test.each([
    "packages/ui/src/screens/imports-stores.tsx",
    "apps/engine-host/src/planning/throws-corral-error.ts",
    "apps/engine-host/src/chat/imports-below.ts",
    "apps/engine-host/src/chat/chat.test.ts",
    "apps/engine-host/src/inference-worker/imports-llama.ts",
  ])("%s is allowed", (file) => {
    expect(messagesByFile.get(file)).toEqual([]);
  });
});

test("names and depth of files", () => {
  const messages = messagesByFile.get("apps/engine-host/src/store/utils/one/CamelCase.ts");
  expect(messages).toHaveLength(3);
  for (const message of messages ?? []) expect(message).toContain("See ARCHITECTURE.md#who-may-import-whom.");
});

test("the repository's own ESLint configuration enforces both rules", async () => {
  const eslint = new ESLint({ cwd: resolve(import.meta.dirname, "../..") });
  for (const file of ["packages/ui/src/screens/chat.tsx", "apps/engine-host/src/chat/chat.ts"]) {
    const { rules } = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, [number, ...unknown[]]> };
    expect(rules["corral/layers"]).toEqual([2]);
    expect(rules["corral/file-names"]).toEqual([2]);
  }
});

test("the section the messages link exists", () => {
  const headings = readFileSync(resolve(import.meta.dirname, "../../ARCHITECTURE.md"), "utf8").match(/^#+ .+$/gm) ?? [];
  const anchors = headings.map((heading) => heading.replace(/^#+ /, "").toLowerCase().replaceAll(" ", "-"));
  expect(anchors).toEqual(expect.arrayContaining(["who-may-import-whom"]));
});
