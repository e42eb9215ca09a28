import type { Options as MarkdownOptions } from "react-markdown";
import remarkMath from "remark-math";
import { drawMaths } from "./draw-maths.ts";
import "katex/dist/katex.min.css";

type Plugins = NonNullable<MarkdownOptions["remarkPlugins"]>;

/** What reads and what draws formulas. */
export const mathsPlugins: { remark: Plugins; rehype: Plugins } = { remark: [remarkMath], rehype: [drawMaths] };
