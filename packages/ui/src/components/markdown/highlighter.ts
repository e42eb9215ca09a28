import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore, type LanguageInput } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";

/** A stretch of one line in one colour; `kind` is the end of a class name in code.css, null: the code's own colour. */
export interface CodeToken {
  text: string;
  kind: string | null;
}

/** The languages that are coloured. Each is its own file, fetched at its first use. */
const languages = {
  bash: () => import("shiki/langs/bash.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  cpp: () => import("shiki/langs/cpp.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
  docker: () => import("shiki/langs/docker.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  kotlin: () => import("shiki/langs/kotlin.mjs"),
  markdown: () => import("shiki/langs/markdown.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  powershell: () => import("shiki/langs/powershell.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  r: () => import("shiki/langs/r.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  xml: () => import("shiki/langs/xml.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
} satisfies Record<string, LanguageInput>;
type Language = keyof typeof languages;

const otherNames: Record<string, Language> = {
  sh: "bash", shell: "bash", zsh: "bash", console: "bash", "c++": "cpp", "c#": "csharp", cs: "csharp", dockerfile: "docker",
  golang: "go", htm: "html", jsonc: "json", kt: "kotlin", md: "markdown", ps1: "powershell", py: "python", rb: "ruby", rs: "rust",
  js: "typescript", javascript: "typescript", ts: "typescript", jsx: "tsx", svg: "xml", yml: "yaml",
}; // prettier-ignore

/** Longer code is shown plain: colouring it would hold up the page. Characters. */
const lengthLimit = 60_000;
/** A line longer than this is not tokenised. Characters. */
const lineLimit = 2_000;

let core: Promise<HighlighterCore> | null = null;

/** Tokenises in plain JavaScript: the content security policy forbids WebAssembly compiled from strings. */
function highlighter(): Promise<HighlighterCore> {
  core ??= createHighlighterCore({
    themes: [createCssVariablesTheme({ name: "tokens" })],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  return core;
}

/** The language behind what follows a fence's backticks; null when it is none of ours. */
function languageOf(name: string): Language | null {
  const lower = name.toLowerCase();
  if (Object.hasOwn(languages, lower)) return lower as Language;
  return Object.hasOwn(otherNames, lower) ? otherNames[lower]! : null;
}

/** The lines of `code` in coloured pieces; null when it stays plain (unknown language, too long, grammar not to be had). */
export async function highlight(code: string, name: string): Promise<CodeToken[][] | null> {
  const language = languageOf(name);
  if (!language || code.length > lengthLimit) return null;
  try {
    const shiki = await highlighter();
    await shiki.loadLanguage(languages[language]);
    const { tokens } = shiki.codeToTokens(code, { lang: language, theme: "tokens", tokenizeMaxLineLength: lineLimit });
    return tokens.map((line) => line.map((token) => ({ text: token.content, kind: kindOf(token.color) })));
  } catch {
    return null;
  }
}

/** "var(--shiki-token-string)" -> "string". */
function kindOf(color: string | undefined): string | null {
  return /^var\(--shiki-token-([a-z-]+)\)$/.exec(color ?? "")?.[1] ?? null;
}
