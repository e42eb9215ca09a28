import type { LooseBlock } from "./block.ts";
import { unreadable } from "./parse-failure.ts";
import { parseSourceCode } from "./source-code.ts";
import { cleanText } from "./text-encoding.ts";

/** Nobody's data nests deeper. */
const maxDepth = 100;

/**
 * Reads JSON, or JSON Lines, as records for people: a paragraph of lines "key: value" for each entry of a list, the keys of
 * the outermost object as headings over what they hold. What is not quite JSON (comments, a broken line) is read as text.
 */
export function parseJson(source: string): LooseBlock[] {
  const text = source.replace(/^\ufeff/, "");
  const whole = tryParse(text);
  if (whole !== undefined) return blocksOf(whole);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const records = lines.map(tryParse);
  if (records.filter((record) => record === undefined).length > lines.length / 10) return parseSourceCode(source);
  return records.flatMap((record, i) => recordBlocks(record === undefined ? lines[i] : record));
}

/** undefined: not JSON. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function blocksOf(value: unknown): LooseBlock[] {
  if (Array.isArray(value)) return value.flatMap((entry) => recordBlocks(entry));
  if (!isObject(value)) return recordBlocks(value);
  const entries = Object.entries(value);
  const plain = entries.filter(([, inner]) => !isNested(inner));
  return [
    ...recordBlocks(Object.fromEntries(plain)),
    ...entries
      .filter(([, inner]) => isNested(inner))
      .flatMap(([key, inner]): LooseBlock[] => [
        { kind: "heading", level: 1, text: oneLine(key) || "(no name)" },
        ...(Array.isArray(inner) ? inner : [inner]).flatMap((entry) => recordBlocks(entry)),
      ]),
  ];
}

function recordBlocks(value: unknown): LooseBlock[] {
  const text = [...linesOf(value, "", 0)].join("\n");
  return text === "" ? [] : [{ kind: "paragraph", level: 0, text }];
}

function* linesOf(value: unknown, path: string, depth: number): Generator<string> {
  const line = (text: string) => (path === "" ? text : `${path}: ${text}`);
  if (value === null || value === "") return;
  if (typeof value !== "object")
    yield line(cleanText(typeof value === "string" ? value : JSON.stringify(value)).trim());
  else if (depth >= maxDepth) throw unreadable("it nests deeper than any data");
  else if (Array.isArray(value) && !value.some(isNested)) yield line(cleanText(value.join(", ")));
  else {
    for (const [key, inner] of Object.entries(value)) {
      const name = Array.isArray(value) ? String(Number(key) + 1) : oneLine(key);
      yield* linesOf(inner, path === "" ? name : `${path}.${name}`, depth + 1);
    }
  }
}

function isNested(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((entry) => typeof entry === "object" && entry !== null);
  return isObject(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function oneLine(text: string): string {
  return cleanText(text).replace(/\s+/g, " ").trim();
}
