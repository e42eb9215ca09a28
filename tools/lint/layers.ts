import type { Rule } from "eslint";
import { builtinModules } from "node:module";
import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type Door, reservedPackages, type Room, rooms } from "./rooms.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const workspacePackages: Record<string, string> = {
  "@corral/protocol": "packages/protocol/src/index.ts",
  "@corral/ui": "packages/ui/src",
  "@corral/engine-host": "apps/engine-host/src/main.ts",
  "@corral/desktop": "apps/desktop/src",
};
const builtins = new Set(builtinModules);

/** Tests, and the files only tests use, may reach into any room of their own workspace. */
const testFile = /(\.(test|bench)\.tsx?|\.test-[\w-]+\.tsx?)$|\/(fixtures|testing)\//;

function roomOf(file: string): Room | undefined {
  return rooms.find(({ folder }) => file === folder || file.startsWith(`${folder}/`));
}

function workspaceOf(file: string): string {
  return file.split("/", 2).join("/");
}

/** The package's name in a bare specifier: "a/b" → "a", "@a/b/c" → "@a/b", "fs/promises" → "node:fs". */
function packageOf(specifier: string): string {
  const parts = specifier.replace(/^node:/, "").split("/");
  if (specifier.startsWith("node:") || builtins.has(specifier)) return `node:${parts[0]}`;
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}

/** True when this door leads to the imported file. "engines/engine" leads to that file only, "engines" to the room. */
function leadsTo(door: Door, room: Room, file: string): boolean {
  return door.to === room.name || file === `apps/engine-host/src/${door.to}.ts`;
}

interface Import {
  /** The names imported as values; null when the whole module is. Empty: types only. */
  values: string[] | null;
}

function refusal(from: Room, specifier: string, importer: string, imported: Import): string | null {
  const inside = specifier.startsWith(".")
    ? relative(root, resolve(root, dirname(importer), specifier))
        .split(sep)
        .join("/")
    : workspacePackages[packageOf(specifier)];

  if (inside === undefined) {
    const name = packageOf(specifier);
    const owners = reservedPackages[name];
    if (owners) return owners.includes(from.name) ? null : `Only ${owners.join(" and ")} may import ${name}.`;
    if (!name.startsWith("node:") || from.node === "any") return null;
    if (from.node === "none") return `${from.name} must not use Node's own modules (${specifier}).`;
    return from.node.includes(name) ? null : `${from.name} may use ${from.node.join(", ")} of Node, not ${specifier}.`;
  }

  const to = roomOf(inside);
  if (!to || to.name === from.name) return null;
  const doors = from.doors.filter((door) => leadsTo(door, to, inside));
  if (doors.length === 0) return `${from.name} must not import ${to.name}.`;
  const isOpen = doors.some(({ what }) => {
    if (what === "all") return true;
    if (imported.values === null) return false;
    return imported.values.every((value) => what !== "types" && what.includes(value));
  });
  return isOpen ? null : `${from.name} may import only types from ${to.name} (import type …).`;
}

/** The may-import table of ARCHITECTURE.md: every import goes through a door of the table in `rooms.ts`. */
export const layersRule: Rule.RuleModule = {
  meta: {
    type: "problem",
    docs: { description: "imports follow the may-import table" },
    messages: { door: "{{reason}} See ARCHITECTURE.md#who-may-import-whom." },
    schema: [{ type: "object", properties: { root: { type: "string" } }, additionalProperties: false }],
  },
  create(context) {
    // A fixture is judged as if its own folder were the repository root.
    const base = resolve(root, (context.options[0] as { root?: string } | undefined)?.root ?? ".");
    const importer = relative(base, context.filename).split(sep).join("/");
    const from = roomOf(importer);
    if (!from) return {};
    const isTest = testFile.test(importer);

    const check = (node: Rule.Node, specifier: unknown, values: string[] | null) => {
      if (typeof specifier !== "string") return;
      if (isTest) {
        const file = relative(root, resolve(root, dirname(importer), specifier))
          .split(sep)
          .join("/");
        if (!specifier.startsWith(".") || workspaceOf(file) === workspaceOf(importer) || !roomOf(file)) return;
        const reason = `A test may reach only into its own workspace, not into ${workspaceOf(file)}.`;
        context.report({ node, messageId: "door", data: { reason } });
        return;
      }
      const reason = refusal(from, specifier, importer, { values });
      if (reason) context.report({ node, messageId: "door", data: { reason } });
    };
    const nameOf = (node: { type: string; name?: string; value?: unknown }) =>
      node.type === "Identifier" ? (node.name ?? "") : String(node.value);
    // ESLint's own node types know no TypeScript: `importKind` and `exportKind` come from the TypeScript parser.
    const isTypeOnly = (node: object, kind: "importKind" | "exportKind") =>
      (node as Record<string, unknown>)[kind] === "type";

    return {
      ImportDeclaration(node) {
        const isWhole = node.specifiers.some(({ type }) => type === "ImportNamespaceSpecifier");
        const values = node.specifiers
          .filter((specifier) => specifier.type === "ImportSpecifier" && !isTypeOnly(specifier, "importKind"))
          .map((specifier) => (specifier.type === "ImportSpecifier" ? nameOf(specifier.imported) : "default"));
        if (node.specifiers.some(({ type }) => type === "ImportDefaultSpecifier")) values.push("default");
        const hasSideEffect = node.specifiers.length === 0;
        check(node, node.source.value, isTypeOnly(node, "importKind") ? [] : isWhole || hasSideEffect ? null : values);
      },
      ExportNamedDeclaration(node) {
        if (!node.source) return;
        const values = node.specifiers
          .filter((specifier) => !isTypeOnly(specifier, "exportKind"))
          .map(({ local }) => nameOf(local));
        check(node, node.source.value, isTypeOnly(node, "exportKind") ? [] : values);
      },
      ExportAllDeclaration(node) {
        check(node, node.source.value, isTypeOnly(node, "exportKind") ? [] : null);
      },
      ImportExpression(node) {
        if (node.source.type === "Literal") check(node, node.source.value, null);
      },
    };
  },
};
