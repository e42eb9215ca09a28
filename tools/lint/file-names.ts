import type { Rule } from "eslint";
import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
/** Folders that say nothing about what they hold. */
const meaningless = new Set(["utils", "util", "helpers", "helper", "common", "shared", "types", "misc", "lib"]);
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.(ts|tsx|js|mjs|cjs)$/;
const maximumDepth = 2;

/** kebab-case file names, folders with a meaning, at most two folders under a `src/`. */
export const fileNamesRule: Rule.RuleModule = {
  meta: {
    type: "problem",
    docs: { description: "names and depth of files" },
    messages: { name: "{{reason}} See ARCHITECTURE.md#who-may-import-whom." },
    schema: [{ type: "object", properties: { root: { type: "string" } }, additionalProperties: false }],
  },
  create(context) {
    const base = resolve(root, (context.options[0] as { root?: string } | undefined)?.root ?? ".");
    const parts = relative(base, context.filename).split(sep);
    const file = parts.at(-1) ?? "";
    const folders = parts.slice(0, -1);
    return {
      Program(node) {
        const report = (reason: string) => context.report({ node, messageId: "name", data: { reason } });
        if (!kebabCase.test(file)) report(`${file} is not kebab-case.`);
        for (const folder of folders.filter((name) => meaningless.has(name)))
          report(`A folder called ${folder} says nothing: put the code beside its user, or name what it is.`);
        const source = folders.indexOf("src");
        if (source >= 0 && folders.length - source - 1 > maximumDepth)
          report(`More than ${maximumDepth} folders under src.`);
      },
    };
  },
};
