import type { Element, ElementContent, Root as HtmlRoot, Text } from "hast";
import type { Root as MarkdownRoot } from "mdast";
import { SKIP, visit } from "unist-util-visit";

/** "[2]" or "[1, 3]". */
const marker = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;

/** What may still become a marker when more text arrives. */
const unfinished = /\[(?:\d{1,3}(?:\s*,\s*\d{1,3})*(?:\s*,\s*)?)?$/;

/** The text without a marker that is only half there yet. */
export function withoutUnfinishedMarker(text: string): string {
  return text.replace(unfinished, "");
}

/**
 * remark plugin: a model that writes "[1]: handbook.pdf" at the end has defined a link named 1, and Markdown would turn every
 * marker [1] into that link. Numbers that are citations stay text, and so does the definition.
 */
export function keepCitedReferences(numbers: ReadonlySet<number>) {
  const cited = (identifier: string) => /^\d{1,3}$/.test(identifier) && numbers.has(Number(identifier));
  return (tree: MarkdownRoot) => {
    visit(tree, (node, index, parent) => {
      if (!parent || index === undefined) return undefined;
      if (node.type === "linkReference" && cited(node.identifier)) {
        parent.children[index] = { type: "text", value: `[${node.identifier}]` };
        return SKIP;
      }
      if (node.type === "definition" && cited(node.identifier)) {
        const value = `[${node.identifier}]: ${node.url}${node.title ? ` ${node.title}` : ""}`;
        parent.children[index] = { type: "paragraph", children: [{ type: "text", value }] };
        return SKIP;
      }
      return undefined;
    });
  };
}

/** rehype plugin: turns markers of known citations into `<cite data-number>`, everywhere but in code, links and formulas. */
export function markCitations(numbers: ReadonlySet<number>) {
  return (tree: HtmlRoot) => {
    if (numbers.size === 0) return;
    visit(tree, (node, index, parent) => {
      if (node.type === "element" && isClosed(node)) return SKIP;
      if (node.type !== "text" || !parent || index === undefined) return undefined;
      const parts = split(node, numbers);
      if (!parts) return undefined;
      parent.children.splice(index, 1, ...parts);
      return index + parts.length;
    });
  };
}

function isClosed(element: Element): boolean {
  const classes = element.properties.className;
  return (
    ["code", "pre", "a"].includes(element.tagName) ||
    (Array.isArray(classes) && classes.some((name) => name === "katex" || name === "katex-error"))
  );
}

function split(node: Text, numbers: ReadonlySet<number>): ElementContent[] | null {
  const parts: ElementContent[] = [];
  let done = 0;
  for (const match of node.value.matchAll(marker)) {
    const named = match[1]!.split(",").map(Number);
    if (!named.every((number) => numbers.has(number))) continue;
    // A line must not break before a chip, nor between it and the full stop after it.
    parts.push({ type: "text", value: node.value.slice(done, match.index).replace(/ $/, "\u00a0") });
    for (const number of named) {
      parts.push({
        type: "element",
        tagName: "cite",
        properties: { dataNumber: number },
        children: [{ type: "text", value: String(number) }],
      });
    }
    done = match.index + match[0].length;
    if (/[.,;:!?)]/.test(node.value[done] ?? "")) parts.push({ type: "text", value: "\u2060" });
  }
  if (done === 0) return null;
  parts.push({ type: "text", value: node.value.slice(done) });
  return parts.filter((part) => part.type !== "text" || part.value !== "");
}
