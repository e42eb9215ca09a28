import type { SearchHit, Sources } from "@corral/protocol";
import type { ModelLease } from "../models/models.ts";
import { searchHit } from "../retrieval/search-hit.ts";
import type { IndexTable } from "../store/store.ts";

/** Of the context beside the reply, the share whole documents may take: the rest is for turns and the question. */
const documentShare = 0.6;

/** Longest the first answer may wait for the documents to be read, s; later turns find them in the KV cache. */
const longestReading = 60;

/**
 * The attached documents from first word to last, in passages that can be cited, when all of them fit what the model can
 * hold and read in bearable time; null when they don't, or nothing of them is ready.
 */
export async function wholeDocuments(
  sources: Sources,
  lease: ModelLease,
  replyTokens: number,
  index: Pick<IndexTable, "chunksOf">,
): Promise<SearchHit[] | null> {
  const held = Math.floor((lease.model.facts.contextSize - replyTokens) * documentShare);
  const speed = lease.summary.memory?.plan.estimate.prefillTokensPerSecond.low ?? Infinity;
  const budget = Math.min(held, Math.floor(speed * longestReading));
  const chunks = budget > 0 ? await index.chunksOf(sources, budget) : null;
  return chunks?.map((chunk) => searchHit(chunk, 0, { lexical: null, dense: null, rerank: null })) ?? null;
}
