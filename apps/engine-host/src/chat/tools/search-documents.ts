import { z } from "zod";
import { findPassages } from "../answer-plan.ts";
import { passageBlock } from "../passage-block.ts";
import { ToolFailure, type Tool } from "./tool.ts";

/** Passages one search gives. */
const passageLimit = 8;

const input = z.object({ query: z.string().min(1).max(10_000) });

export const searchDocuments: Tool = {
  definition: {
    name: "search_documents",
    description:
      "Searches the user's documents and gives numbered passages. Use it again with other words when the passages do not answer. Cite a passage by its number in square brackets, like [2].",
    parameters: {
      type: "object",
      properties: { query: { type: "string", description: "What to look for: words or a question." } },
      required: ["query"],
      additionalProperties: false,
    },
  },
  server: null,
  harmless: true,
  bringsText: true,
  fingerprint: "search_documents",
  async run(args, { sources, retrieval, number, signal }) {
    const { query } = input.parse(args);
    const found = await findPassages(query, { sources }, retrieval, signal, passageLimit);
    if (found === null) throw new ToolFailure("No documents are attached to this conversation.");
    const { hits } = found;
    if (hits.length === 0) return { text: "No passage was found.", failed: false };
    const numbers = number(hits);
    return { text: hits.map((hit, at) => passageBlock(hit, numbers[at]!)).join("\n\n"), failed: false };
  },
};
