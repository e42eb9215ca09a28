// @vitest-environment happy-dom
import i18next from "i18next";
import { renderToStaticMarkup } from "react-dom/server";
import { initReactI18next } from "react-i18next";
import { beforeAll, describe, expect, test } from "vitest";
import components from "../../locales/en/components.json";
import { hostileAnswers } from "./hostile-answers.ts";
import { Markdown } from "./markdown.tsx";
import { katexStyle } from "./sanitize-schema.ts";
import { loadMaths } from "./use-maths.ts";

const citations = [{ number: 1, document: "handbook.pdf", page: 3 }];

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: "en", resources: { en: { components } } });
  await loadMaths();
});

function render(text: string, streaming: boolean): string {
  return renderToStaticMarkup(<Markdown text={text} streaming={streaming} citations={citations} />);
}

/** Elements an answer may be made of: Markdown's, KaTeX', and our own buttons and icons. Nothing that runs, fetches or embeds. */
const harmless = new Set(
  (
    "div p br hr h1 h2 h3 h4 h5 h6 strong em del sup a img ul ol li input blockquote pre code table thead tbody tr th td section span " +
    "svg path line circle rect g button math semantics annotation mrow mi mo mn ms mtext mspace msup msub msubsup mfrac mroot msqrt mover " +
    "munder munderover mpadded mphantom menclose mstyle mtable mtr mtd"
  ).split(" "),
);
/** Of our own markup around it (buttons, scrolling regions). */
const ownAttributes = new Set(["role", "tabindex", "type", "data-state", "dir"]);

/** Every reason why this markup would be dangerous. Independent of how it was made. */
function dangers(html: string): string[] {
  const found: string[] = [];
  const page = new DOMParser().parseFromString(`<!doctype html><body>${html}</body>`, "text/html");
  for (const element of page.body.querySelectorAll("*")) {
    const tag = element.tagName.toLowerCase();
    if (!harmless.has(tag)) found.push(`<${tag}>`);
    for (const { name, value } of element.attributes) {
      const attribute = name.toLowerCase();
      if (attribute.startsWith("on")) found.push(`${tag} ${attribute}`);
      if (
        ["id", "name", "srcset", "action", "formaction", "srcdoc", "xlink:href", "background", "ping"].includes(
          attribute,
        )
      ) {
        found.push(`${tag} ${attribute}=${value}`);
      }
      if (attribute === "href" && !/^(?:https?:\/\/|mailto:)/.test(value)) found.push(`href ${value}`);
      if (attribute === "href" && element.getAttribute("rel") !== "noopener noreferrer") found.push("link without rel");
      if (attribute === "src" && !/^(?:data:image\/(?:png|jpeg|gif|webp);base64,|blob:)/.test(value))
        found.push(`src ${value}`);
      if (attribute === "style" && (!katexStyle.test(value) || /url|expression|fixed|absolute/i.test(value))) {
        found.push(`style ${value}`);
      }
      // Utility classes could lay an answer's element over the page; only our own elements carry them.
      if (attribute === "class" && /(?:^|\s)(?:fixed|absolute|inset-0|z-50)(?:\s|$)/.test(value))
        found.push(`class ${value}`);
      if (/^data-/.test(attribute) && !ownAttributes.has(attribute)) found.push(`${tag} ${attribute}`);
    }
  }
  return found;
}

describe("hostile answers", () => {
  test("there are many of them", () => expect(new Set(hostileAnswers).size).toBeGreaterThanOrEqual(60));

  test.each(hostileAnswers)("%s", (answer) => {
    for (let length = 1; length <= answer.length; length++) {
      expect(dangers(render(answer.slice(0, length), true)), answer.slice(0, length)).toEqual([]);
    }
    expect(dangers(render(answer, false))).toEqual([]);
    // The same inside what surrounds it in real answers.
    for (const around of [`- item\n\n  ${answer}`, `> ${answer}`, `**${answer}** [1]`, `| a |\n|---|\n| ${answer} |`]) {
      expect(dangers(render(around, false)), around).toEqual([]);
    }
  });

  test("the check itself sees what is dangerous", () => {
    expect(dangers(`<p><script>alert(1)</script></p>`)).not.toEqual([]);
    expect(dangers(`<img src="data:image/png;base64,AA" onerror="alert(1)">`)).not.toEqual([]);
    expect(dangers(`<a rel="noopener noreferrer" href="javascript:alert(1)">x</a>`)).not.toEqual([]);
    expect(dangers(`<span style="position:fixed">x</span>`)).not.toEqual([]);
    expect(dangers(`<p id="root">x</p>`)).not.toEqual([]);
    expect(dangers(`<p>harmless</p>`)).toEqual([]);
  });

  test("HTML is shown as it was written, not dropped", () => {
    expect(render("a <b>bold</b> claim", false)).toContain("a &lt;b&gt;bold&lt;/b&gt; claim");
    expect(render("<div>\nwhole block\n</div>", false)).toContain("&lt;div&gt;\nwhole block\n&lt;/div&gt;");
  });

  test("a formula that would expand without end is shown as an error, quickly", () => {
    expect(render("$\\def\\a{\\a\\a}\\a$", false)).toContain("katex-error");
  });
});
