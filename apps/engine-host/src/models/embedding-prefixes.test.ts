import { expect, it } from "vitest";
import { embeddingPrefixesOf } from "./embedding-prefixes.ts";

it.each([
  ["multilingual-e5-small", "query: ", "passage: "],
  ["Multilingual E5 Large Instruct", "Instruct: ", ""],
  ["bge-small-en-v1.5", "Represent this sentence", ""],
  ["bge-m3", "", ""],
  ["nomic-embed-text-v1.5", "search_query: ", "search_document: "],
  ["Embeddinggemma 300M", "task: search result | query: ", "title: none | text: "],
  ["Qwen3 Embedding 0.6B", "Instruct: ", ""],
  ["snowflake-arctic-embed-l-v2.0", "query: ", ""],
  ["snowflake-arctic-embed-m-v1.5", "Represent this sentence", ""],
  ["mxbai-embed-large-v1", "Represent this sentence", ""],
  ["all-MiniLM-L6-v2", "", ""],
  ["gte-base", "", ""],
])("%s", (name, query, document) => {
  const prefixes = embeddingPrefixesOf(["bert", name]);
  expect(prefixes.query.startsWith(query)).toBe(true);
  if (query === "") expect(prefixes.query).toBe("");
  expect(prefixes.document).toBe(document);
});

it("goes by the architecture where the name says nothing", () => {
  expect(embeddingPrefixesOf(["model", "gemma-embedding", "file"]).document).toBe("title: none | text: ");
  expect(embeddingPrefixesOf(["model", "nomic-bert", "file"]).query).toBe("search_query: ");
});
