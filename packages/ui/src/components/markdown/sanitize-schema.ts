import type { Options as Schema } from "rehype-sanitize";

/** Lengths, numbers, plain colours and keywords: nothing that fetches, covers the window or calls a function. */
const styleValue = "(?:-?\\d*\\.?\\d+(?:em|ex|px|pt|%)?|#[0-9a-fA-F]{3,8}|[a-z]+)";
const styleName =
  "(?:height|width|min-width|max-width|top|bottom|left|right|vertical-align|color|background-color|font-weight|font-style|text-shadow|" +
  "(?:margin|padding)(?:-(?:top|right|bottom|left))?|border(?:-(?:top|right|bottom|left))?(?:-(?:width|style|color))?)";
/** The inline styles KaTeX writes. `position` may only be what keeps a thing in its place. */
export const katexStyle = new RegExp(
  `^(?:\\s*(?:${styleName}\\s*:\\s*${styleValue}(?:\\s+${styleValue})*|position\\s*:\\s*relative)\\s*;?)*\\s*$`,
);

/** Names of KaTeX' own classes: lower case words with digits and dashes. Only KaTeX sets classes here (its `trust` is off). */
const katexClass = /^[A-Za-z][A-Za-z0-9-]*$/;

const mathmlTags = [
  "math", "semantics", "annotation", "mrow", "mi", "mo", "mn", "ms", "mtext", "mspace", "msup", "msub", "msubsup", "mfrac", "mroot",
  "msqrt", "mover", "munder", "munderover", "mmultiscripts", "mprescripts", "mpadded", "mphantom", "menclose", "mstyle", "mtable",
  "mtr", "mtd", "mlabeledtr",
]; // prettier-ignore

const mathmlAttributes = [
  "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth", "display", "displaystyle", "encoding", "fence",
  "height", "largeop", "linebreak", "linethickness", "lspace", "mathcolor", "mathbackground", "mathsize", "mathvariant", "maxsize",
  "minsize", "movablelimits", "notation", "rowalign", "rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "side",
  "stretchy", "symmetric", "voffset", "width", "xmlns",
]; // prettier-ignore

/**
 * What may reach the page from an answer: the elements Markdown makes, KaTeX' output, and our own `<cite data-number>`.
 * Written as its own list rather than as additions to a wider default. Runs last, after every plugin that makes elements.
 */
export const sanitizeSchema: Schema = {
  tagNames: [
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "sup", "a", "img", "ul", "ol", "li", "input",
    "blockquote", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "section", "cite",
    "figure", "span", "svg", "path", "line",
    ...mathmlTags,
  ], // prettier-ignore
  attributes: {
    a: ["href", "title"],
    img: ["src", "alt", "title"],
    input: [["type", "checkbox"], ["disabled", true], "checked"],
    ol: ["start"],
    th: [["align", "left", "right", "center"]],
    td: [["align", "left", "right", "center"]],
    code: [["className", /^language-[\w+#.-]{1,40}$/]],
    section: [["className", "footnotes"]],
    cite: ["dataNumber"],
    span: [["className", katexClass], ["style", katexStyle], "ariaHidden"],
    svg: ["xmlns", "width", "height", "viewBox", "preserveAspectRatio", ["style", katexStyle], "ariaHidden"],
    path: ["d"],
    line: ["x1", "x2", "y1", "y2", "strokeWidth"],
    ...Object.fromEntries(mathmlTags.map((tag) => [tag, mathmlAttributes])),
  },
  ancestors: { tr: ["table"], td: ["table"], th: ["table"], thead: ["table"], tbody: ["table"] },
  protocols: { href: ["http", "https", "mailto"], src: ["data", "blob"] },
  required: { input: { disabled: true, type: "checkbox" } },
  strip: ["script", "style"],
  clobber: ["id", "name"],
  clobberPrefix: "answer-",
};
