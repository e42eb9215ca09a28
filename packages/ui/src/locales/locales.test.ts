import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";

const source = join(import.meta.dirname, "..");

/** "area:key.of.word" of every word there is; plural forms under the name the code uses. */
const words = new Set(
  globSync(join(import.meta.dirname, "en/*.json")).flatMap((file) => {
    const area = basename(file, ".json");
    return keys(JSON.parse(readFileSync(file, "utf8"))).map((key) => `${area}:${key.replace(/_(one|other)$/, "")}`);
  }),
);

function keys(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [""];
  return Object.entries(value).flatMap(([name, inner]) =>
    keys(inner).map((rest) => (rest === "" ? name : `${name}.${rest}`)),
  );
}

/** Words a file asks for: t("key") in the areas it names, and t("area:key"). */
function used(file: string): { key: string; candidates: string[] }[] {
  const code = readFileSync(file, "utf8");
  const areas = [...code.matchAll(/useTranslation\(\[?([^)\]]*)\]?\)/g)].flatMap(([, list]) =>
    [...(list ?? "").matchAll(/"([^"]+)"/g)].map(([, area]) => area ?? ""),
  );
  return [...code.matchAll(/\bt\(\s*"([^"]+)"/g)].map(([, key = ""]) => ({
    key,
    candidates: key.includes(":") ? [key] : areas.map((area) => `${area}:${key}`),
  }));
}

const files = globSync(join(source, "**/*.{ts,tsx}")).filter((file) => !/\.test\.|fixtures\/|hostile/.test(file));

test("every word the code asks for exists", () => {
  const missing = files.flatMap((file) =>
    used(file)
      .filter(({ candidates }) => !candidates.some((candidate) => words.has(candidate)))
      .map(({ key }) => `${basename(file)}: ${key}`),
  );
  expect(missing).toEqual([]);
});

test("no word stands in the screens' code instead of the language files", () => {
  const literal = files
    .filter((file) => /src\/(screens|components)\//.test(file))
    .flatMap((file) =>
      [
        ...readFileSync(file, "utf8").matchAll(/(?:aria-label|label|title|placeholder|alt)="([^"/][^"]*[a-z][^"]*)"/gi),
      ].map(([found]) => `${basename(file)}: ${found}`),
    );
  expect(literal).toEqual([]);
});
