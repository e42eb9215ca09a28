import rehypeKatex, { type Options } from "rehype-katex";
import remarkMath from "remark-math";
import type { Options as MarkdownOptions } from "react-markdown";
import "katex/dist/katex.min.css";

/** `trust: false`: no \href, \includegraphics, \html*. Sizes and macro expansion are bounded, so a formula cannot fill the memory. */
const options: Options = {
  trust: false,
  maxSize: 20,
  maxExpand: 500,
  strict: "ignore",
  errorColor: "var(--danger-ink)",
};

type Plugins = NonNullable<MarkdownOptions["remarkPlugins"]>;

/** What reads and what draws formulas. */
export const mathsPlugins: { remark: Plugins; rehype: Plugins } = {
  remark: [remarkMath],
  rehype: [[rehypeKatex, options]],
};
