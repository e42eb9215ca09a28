import type { EmbeddingPrefixes } from "@corral/protocol";

const none: EmbeddingPrefixes = { query: "", document: "" };
const bge = "Represent this sentence for searching relevant passages: ";
const retrievalTask = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:";

/**
 * What families of embedding models want before a text, from their model cards on Hugging Face; first match counts. Without
 * it they find noticeably less, as they were trained with it.
 */
const families: { name: RegExp; prefixes: EmbeddingPrefixes }[] = [
  // intfloat/multilingual-e5-large-instruct, intfloat/e5-mistral-7b-instruct
  { name: /\be5\b.*instruct/, prefixes: { query: `${retrievalTask} `, document: "" } },
  // intfloat/e5-base-v2, intfloat/multilingual-e5-small
  { name: /\be5\b/, prefixes: { query: "query: ", document: "passage: " } },
  // BAAI/bge-m3 wants none.
  { name: /\bbge m3\b/, prefixes: none },
  // BAAI/bge-base-zh-v1.5
  { name: /\bbge\b.*\bzh\b/, prefixes: { query: "为这个句子生成表示以用于检索相关文章：", document: "" } },
  // BAAI/bge-small-en-v1.5
  { name: /\bbge\b/, prefixes: { query: bge, document: "" } },
  // nomic-ai/nomic-embed-text-v1.5, nomic-ai/nomic-embed-text-v2-moe
  { name: /\bnomic\b/, prefixes: { query: "search_query: ", document: "search_document: " } },
  // google/embeddinggemma-300m
  {
    name: /\bembedding ?gemma\b|\bgemma embedding\b/,
    prefixes: { query: "task: search result | query: ", document: "title: none | text: " },
  },
  // Qwen/Qwen3-Embedding-0.6B
  { name: /\bqwen ?3 embedding\b/, prefixes: { query: retrievalTask, document: "" } },
  // mixedbread-ai/mxbai-embed-large-v1
  { name: /\bmxbai embed\b/, prefixes: { query: bge, document: "" } },
  // Snowflake/snowflake-arctic-embed-l-v2.0
  { name: /\barctic embed\b.*\bv2\b/, prefixes: { query: "query: ", document: "" } },
  // Snowflake/snowflake-arctic-embed-m-v1.5
  { name: /\barctic embed\b/, prefixes: { query: bge, document: "" } },
];

/**
 * The prefixes of the family a model belongs to; none for one that is not known.
 * @param names what its file says it is: name, architecture, file name
 */
export function embeddingPrefixesOf(names: readonly string[]): EmbeddingPrefixes {
  for (const { name, prefixes } of families) {
    if (names.some((text) => name.test(text.toLowerCase().replace(/[^a-z0-9]+/g, " ")))) return prefixes;
  }
  return none;
}
