import type { Element, ElementContent, Root } from "hast";
import katex, { type KatexOptions } from "katex";
import { SKIP, visit } from "unist-util-visit";
import { readKatexMarkup } from "./katex-markup.ts";

/** `trust: false`: no \href, \includegraphics, \html*. Sizes and macro expansion are bounded, so a formula cannot fill the memory. */
const options: KatexOptions = { trust: false, maxSize: 20, maxExpand: 500, strict: "ignore", throwOnError: false };

/** rehype plugin: draws what remark-math marked, and fences named "math". A formula that cannot be read is shown as written. */
export function drawMaths() {
  return (tree: Root) => {
    visit(tree, "element", (element, index, parent) => {
      if (!parent || index === undefined) return undefined;
      const code = element.tagName === "pre" ? element.children.find((child) => child.type === "element") : element;
      if (!code || !isMaths(code)) return undefined;
      parent.children.splice(index, 1, ...draw(textOf(code), element.tagName === "pre"));
      return SKIP;
    });
  };
}

function isMaths({ tagName, properties }: Element): boolean {
  return tagName === "code" && Array.isArray(properties.className) && properties.className.includes("language-math");
}

function textOf({ children }: Element): string {
  return children.map((child) => (child.type === "text" ? child.value : "")).join("");
}

function draw(formula: string, displayMode: boolean): ElementContent[] {
  try {
    const drawn = readKatexMarkup(katex.renderToString(formula, { ...options, displayMode }));
    // A figure scrolls by itself, by keyboard too, where the formula is wider than the text.
    return displayMode ? [{ type: "element", tagName: "figure", properties: {}, children: drawn }] : drawn;
  } catch {
    const properties = { className: ["katex-error"] };
    return [{ type: "element", tagName: "span", properties, children: [{ type: "text", value: formula }] }];
  }
}
