import katex from "katex";
import { describe, expect, test } from "vitest";
import { readKatexMarkup } from "./katex-markup.ts";

/** Everything KaTeX makes elements of: MathML, spans, SVG paths and lines, entities, errors. */
const formulas = [
  "E = mc^2",
  "\\frac{1}{2} \\sqrt[3]{x} \\sqrt{\\frac{a}{b}}",
  "\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix} \\begin{cases} 1 & x < 0 \\\\ 2 & x > 0 \\end{cases}",
  "\\begin{array}{|c|c|} \\hline a & b \\\\ \\hdashline c & d \\end{array}",
  "\\widehat{abc} \\overbrace{x+y}^{n} \\xrightarrow[a]{b} \\overrightarrow{AB} \\cancel{x} \\boxed{y}",
  "\\text{a \"quote\" & 'single' <b>} \\color{red}{x} \\colorbox{#ff0}{y} \\fcolorbox{red}{white}{z}",
  "\\left\\{ \\sum_{i=1}^\\infty \\int_0^1 \\right\\} \\Big/ \\bigg\\Vert",
  "\\frac{1",
];

describe.each(formulas)("%s", (formula) => {
  test.each([false, true])("display: %s", (displayMode) => {
    const markup = katex.renderToString(formula, { displayMode, throwOnError: false });
    const tree = { children: readKatexMarkup(markup) };
    expect(write(tree)).toBe(markup);
  });
});

test.each(["<b", "<b>", "</b>", "<b></i>", "<b a=1></b>", "<b onclick='x'></b>", "<!-- x -->", "a < b"])(
  "%s is not of the kind KaTeX writes",
  (markup) => expect(() => readKatexMarkup(markup)).toThrow("KaTeX"),
);

type Tree = { children: ReturnType<typeof readKatexMarkup> };

/** The tree as markup again, the way KaTeX writes it. */
function write({ children }: Tree): string {
  return children
    .map((child) => {
      if (child.type === "text") return escape(child.value);
      if (child.type !== "element") throw new Error(child.type);
      const attributes = Object.entries(child.properties).map(([name, value]) => {
        const shown = Array.isArray(value) ? value.join(" ") : String(value);
        const written = { className: "class", ariaHidden: "aria-hidden", strokeWidth: "stroke-width" }[name] ?? name;
        return ` ${written}="${escape(shown)}"`;
      });
      if (child.tagName === "path" || child.tagName === "line") return `<${child.tagName}${attributes.join("")}/>`;
      return `<${child.tagName}${attributes.join("")}>${write(child)}</${child.tagName}>`;
    })
    .join("");
}

function escape(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
  return text.replace(/[&<>"']/g, (letter) => names[letter]!);
}
