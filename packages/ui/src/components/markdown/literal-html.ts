import type { Root } from "mdast";
import { SKIP, visit } from "unist-util-visit";

/**
 * remark plugin: HTML in an answer is shown as the characters it is, never run and never silently dropped. Only a line break,
 * which models use inside table cells, does what it says.
 */
export function literalHtml() {
  return (tree: Root) => {
    visit(tree, "html", (node, index, parent) => {
      if (!parent || index === undefined) return;
      const flow = parent.type === "root" || parent.type === "blockquote" || parent.type === "listItem";
      if (!flow && /^<br\s*\/?>$/i.test(node.value)) {
        parent.children[index] = { type: "break" };
        return SKIP;
      }
      const text = { type: "text" as const, value: node.value };
      parent.children[index] = flow ? { type: "paragraph", children: [text] } : text;
      return SKIP;
    });
  };
}
