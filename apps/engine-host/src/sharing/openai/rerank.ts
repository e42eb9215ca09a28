import { z } from "zod";
import type { ApiCall } from "../api-call.ts";
import { boundedList, parseRequest, readJson, textsLimitBytes, type RefusedField } from "../request-body.ts";
import { refuseForOther } from "./model-ability.ts";

const mostDocuments = 1_024;

const rerankRequest = z.object({
  model: z.string().min(1).max(400),
  query: z.string().min(1).max(100_000),
  documents: boundedList(z.union([z.string(), z.object({ text: z.string() })]), mostDocuments, 1),
  top_n: z.number().int().min(1).nullish(),
  return_documents: z.boolean().nullish(),
});

const refusedFields: Record<string, RefusedField> = {
  rank_fields: { because: "documents are texts here." },
  max_chunks_per_doc: { because: "send passages of the size the model reads." },
};

/** POST /v1/rerank, in the shape of Jina and Cohere. Scores are 0 to 1. */
export async function rerank(call: ApiCall): Promise<Response> {
  const request = parseRequest(rerankRequest, await readJson(call.request, textsLimitBytes), refusedFields);
  const texts = request.documents.map((document) => (typeof document === "string" ? document : document.text));
  await refuseForOther("rank", request.model, call.services.models);
  await using reranker = await call.services.models.reranker(request.model, { signal: call.signal });
  const [queryTokens = 0, ...counts] = await reranker.countTokens([request.query, ...texts], call.signal);
  const scores = await reranker.rank(request.query, texts, call.signal);
  // The query is read anew with each document.
  const tokens = counts.reduce((sum, count) => sum + count + queryTokens, 0);
  const results = scores
    .map((score, index) => ({
      index,
      relevance_score: score,
      ...(request.return_documents ? { document: { text: texts[index] } } : {}),
    }))
    .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
    .slice(0, request.top_n ?? texts.length);
  return Response.json({
    id: call.newId("rerank-"),
    object: "list",
    model: request.model,
    results,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}
