// @vitest-environment happy-dom
import i18next from "i18next";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { initReactI18next } from "react-i18next";
import ReactMarkdown from "react-markdown";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import components from "../../locales/en/components.json";
import { Markdown, type MarkdownProps } from "./markdown.tsx";
import { loadMaths } from "./use-maths.ts";

// Counts how often Markdown is parsed.
vi.mock("react-markdown", async (original) => {
  const module = await original<typeof import("react-markdown")>();
  return { ...module, default: vi.fn(module.default) };
});

const citations = [
  { number: 1, document: "handbook.pdf", page: 3 },
  { number: 2, document: "notes.md", page: null },
];
let container: HTMLElement;
let root: Root;

beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await i18next
    .use(initReactI18next)
    .init({ lng: "en", resources: { en: { components } }, interpolation: { escapeValue: false } });
  await loadMaths();
});
beforeEach(() => {
  container = document.body.appendChild(document.createElement("div"));
  root = createRoot(container);
});
afterEach(() => {
  act(() => root.unmount());
  container.remove();
});

function show(text: string, props: Partial<MarkdownProps<(typeof citations)[number]>> = {}): void {
  act(() => root.render(<Markdown text={text} citations={citations} {...props} />));
}

/** The names of all chips. */
function chips(): string[] {
  return [...container.querySelectorAll("button[aria-label^=Source]")].map((chip) => chip.getAttribute("aria-label")!);
}

test("markers of known citations are chips that open them; unknown ones stay text", () => {
  const onCitation = vi.fn();
  show("Notice is three months [1]. See also [2] and [7].", { onCitation });
  expect(chips()).toEqual(["Source 1: handbook.pdf, page 3", "Source 2: notes.md"]);
  expect(container.textContent).toContain("[7]");
  act(() => container.querySelector("button")!.click());
  expect(onCitation).toHaveBeenCalledExactlyOnceWith(citations[0]);
});

test("chips work in bold, lists, tables and side by side", () => {
  show("**Bold [1]**\n\n- item [2]\n- [1, 2]\n\n| a |\n|---|\n| cell [1][2] |\n\n> quote [1]");
  expect(chips()).toHaveLength(7);
});

test("code, links and formulas keep their brackets", () => {
  show("`a[1]` and [a [1] b](https://example.org) and $x_{[1]}$\n\n```js\nb[2]\n```");
  expect(chips()).toEqual([]);
  expect(container.textContent).toContain("a[1]");
  expect(container.textContent).toContain("b[2]");
});

test("a model that defines [1] as a link still gets its chip", () => {
  show("Three months [1].\n\n[1]: https://example.org");
  expect(chips()).toEqual(["Source 1: handbook.pdf, page 3", "Source 1: handbook.pdf, page 3"]);
  expect(container.querySelector("a")?.getAttribute("href") ?? "").not.toContain("1]");
});

test("while streaming a marker is never seen half", () => {
  const answer = "Notice is three months [1], see [1, 2].";
  for (let length = 1; length <= answer.length; length++) {
    show(answer.slice(0, length), { streaming: true });
    expect(container.textContent).not.toMatch(/\[/);
  }
  expect(chips()).toHaveLength(3);
});

test("the chip of the open source is pressed", () => {
  show("One [1] two [2]", { activeCitation: 2 });
  const pressed = [...container.querySelectorAll("button")].map((chip) => chip.getAttribute("aria-pressed"));
  expect(pressed).toEqual(["false", "true"]);
});

test("more text at the end parses the last block only", () => {
  const answer = Array.from({ length: 40 }, (_, at) => `Paragraph ${at} with [1] and **bold**.`).join("\n\n");
  show(answer, { streaming: true });
  const before = [...container.querySelectorAll("p")];
  expect(before).toHaveLength(40);
  vi.mocked(ReactMarkdown).mockClear();
  // New arrays and functions at each render, as a store hands them over.
  show(`${answer} And more`, { streaming: true, citations: structuredClone(citations), onCitation: () => undefined });
  expect(vi.mocked(ReactMarkdown)).toHaveBeenCalledTimes(1);
  const after = [...container.querySelectorAll("p")];
  expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
  expect(after.at(-1)!.textContent).toContain("And more");
});

test("a link names its host where its words hide it, and a press asks before it opens", () => {
  const open = vi.spyOn(window, "open").mockReturnValue(null);
  show("[our bank](https://evil.example/login) and https://example.org/a");
  expect(container.textContent).toContain("our bank (evil.example)");
  expect(container.textContent).not.toContain("(example.org)");
  const link = container.querySelector("a")!;
  expect(link.rel).toBe("noopener noreferrer");
  const press = new MouseEvent("click", { bubbles: true, cancelable: true });
  act(() => void link.dispatchEvent(press));
  expect(press.defaultPrevented).toBe(true);
  expect(open).not.toHaveBeenCalled();
  const dialog = document.querySelector("[role=dialog]")!;
  expect(dialog.textContent).toContain("https://evil.example/login");
  const button = [...dialog.querySelectorAll("button")].find(({ textContent }) => textContent === "Open in a new tab")!;
  act(() => button.click());
  expect(open).toHaveBeenCalledExactlyOnceWith("https://evil.example/login", "_blank", "noopener,noreferrer");
  open.mockRestore();
});

test("where no page can be opened the address can still be copied", () => {
  show("[x](https://example.org)", { canOpenLinks: false });
  act(() => container.querySelector("a")!.click());
  const names = [...document.querySelectorAll("[role=dialog] button")].map(({ textContent }) => textContent);
  expect(names).toContain("Copy address");
  expect(names).not.toContain("Open in a new tab");
});

test("pictures from elsewhere are named, not fetched", () => {
  show("![a chart](https://example.org/a.png)");
  expect(container.querySelector("img")).toBeNull();
  expect(container.textContent).toContain("a chart");
});

test("formulas are drawn, with MathML for screen readers; prices stay prices", () => {
  show("Energy is \\(E = mc^2\\) and it costs $5 to $10.\n\n\\[\\sqrt{2}\\]");
  expect(container.querySelectorAll(".katex math")).toHaveLength(2);
  expect(container.querySelector(".katex-display svg path")?.getAttribute("d")).toBeTruthy();
  expect(container.querySelector(".katex .strut")?.getAttribute("style")).toMatch(/height/);
  expect(container.textContent).toContain("costs $5 to $10.");
});

test("code is coloured once its language has come, with every character kept", async () => {
  const code = 'const a = "<b>"; // done\n\nreturn a;';
  show(`\`\`\`ts\n${code}\n\`\`\``);
  await vi.waitFor(
    async () => {
      await act(async () => void (await new Promise((resolve) => setTimeout(resolve, 50))));
      expect(container.querySelector(".code-keyword")?.textContent).toBe("const");
    },
    { timeout: 15_000 },
  );
  expect(container.querySelector("pre code")!.textContent).toBe(code);
});

test("a block too long to parse is shown as it was written", () => {
  show(`**${"a".repeat(100_001)}`);
  expect(container.querySelector("strong, p")).toBeNull();
  expect(container.textContent).toHaveLength(100_003);
});
