import { z } from "zod";
import type { ApiCall } from "../api-call.ts";
import { invalid } from "../api-error.ts";
import { boundedList, parseRequest, readJson, textsLimitBytes } from "../request-body.ts";
import { refuseForOther } from "./model-ability.ts";

/** OpenAI's own limit. */
const mostTexts = 2_048;

const embeddingRequest = z.object({
  model: z.string().min(1).max(400),
  input: z.union([z.string().min(1), boundedList(z.string().min(1), mostTexts, 1)], {
    error: `a text or a list of 1 to ${mostTexts} texts, none empty; lists of token ids are not supported, send text`,
  }),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.number().int().min(1).max(65_536).nullish(),
  user: z.string().max(1_000).nullish(),
  /** What the vectors are for, as Cohere, Voyage and vLLM name it. Some models put other words before a query. */
  input_type: z.enum(["query", "document", "search_query", "search_document", "passage"]).nullish(),
});

/** POST /v1/embeddings */
export async function embeddings(call: ApiCall): Promise<Response> {
  const request = parseRequest(embeddingRequest, await readJson(call.request, textsLimitBytes));
  const texts = typeof request.input === "string" ? [request.input] : request.input;
  await refuseForOther("embed", request.model, call.services.models);
  await using embedder = await call.services.models.embedder(request.model, { signal: call.signal });
  if (request.dimensions != null && request.dimensions !== embedder.dimensions) {
    throw invalid(
      "dimensions",
      `${embedder.id} makes vectors of ${embedder.dimensions} dimensions and cannot make others: leave dimensions out.`,
      "unsupported_parameter",
    );
  }
  const kind = request.input_type === "query" || request.input_type === "search_query" ? "query" : "document";
  const counts = await embedder.countTokens(texts, call.signal);
  const vectors = await embedder.embed(texts, kind, call.signal);
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  const encode = request.encoding_format === "base64" ? base64Of : (vector: Float32Array) => [...vector];
  return Response.json({
    object: "list",
    data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) })),
    model: request.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** 32-bit floats, little-endian, as OpenAI packs them. */
function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, at) => bytes.writeFloatLE(value, at * 4));
  return bytes.toString("base64");
}
