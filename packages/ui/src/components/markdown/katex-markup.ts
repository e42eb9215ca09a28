import type { Element, ElementContent, Properties } from "hast";

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" };
/** Attributes whose name in a syntax tree differs from that in markup. */
const propertyNames: Record<string, string> = { "aria-hidden": "ariaHidden", "stroke-width": "strokeWidth" };

/** A tag, or the text up to the next one. */
const piece = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>|([^<]+)/y;

/**
 * Reads the markup KaTeX writes into a syntax tree. It is strict (every tag closed, attributes quoted, five entities), so reading it
 * takes no HTML parser; the browser's own would report each of KaTeX' style attributes as a violation of the content security
 * policy, and do so before they are sanitised.
 *
 * @throws when the markup is not of that kind
 */
export function readKatexMarkup(markup: string): ElementContent[] {
  const root: ElementContent[] = [];
  const open: Element[] = [];
  piece.lastIndex = 0;
  while (piece.lastIndex < markup.length) {
    const at = piece.lastIndex;
    const match = piece.exec(markup);
    if (!match) throw new Error(`KaTeX wrote markup that cannot be read, at character ${at}.`);
    const [, closing, tagName, attributes, selfClosing, text] = match;
    const siblings = open.at(-1)?.children ?? root;
    if (text !== undefined) siblings.push({ type: "text", value: decode(text) });
    else if (closing) {
      if (open.pop()?.tagName !== tagName) throw new Error(`KaTeX closed <${tagName}>, which was not open.`);
    } else {
      const element: Element = { type: "element", tagName: tagName!, properties: read(attributes ?? ""), children: [] };
      siblings.push(element);
      if (!selfClosing) open.push(element);
    }
  }
  if (open.length > 0) throw new Error(`KaTeX left <${open[0]!.tagName}> open.`);
  return root;
}

function read(attributes: string): Properties {
  const properties: Properties = {};
  for (const [, name, value] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    if (name === "class") properties["className"] = decode(value!).split(/\s+/).filter(Boolean);
    else properties[propertyNames[name!] ?? name!] = decode(value!);
  }
  return properties;
}

function decode(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#x27);/g, (_, name: string) => entities[name]!);
}
