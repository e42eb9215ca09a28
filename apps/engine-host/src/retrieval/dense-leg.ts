import { CorralError, type SearchNote, type Sources } from "@corral/protocol";
import type { Models } from "../models/models.ts";
import { parseQuery } from "../store/query.ts";
import type { Store, StoredChunk } from "../store/store.ts";
import type { AnsweringModel } from "./answering-model.ts";
import type { InstalledModels } from "./installed-models.ts";
import { useWithin } from "./patience.ts";

/** How long a search waits for the query's vector, ms: a model that must be loaded first takes seconds. */
const PATIENCE_MS = 2_000;

/** What the dense leg found; `ran` false: nothing, for the reason in `notes`. */
export interface DenseResult {
  ran: boolean;
  found: { chunk: StoredChunk; score: number }[];
  notes: SearchNote[];
}

interface DenseParts {
  store: Pick<Store, "vectors">;
  models: Pick<Models, "embedder">;
  installed: InstalledModels;
  answering: AnsweringModel;
  /** Of the loads of models, which outlive the search that began them. */
  lifetime: AbortSignal;
}

/** Finds chunks by the vector of the query. Never fails: what goes wrong is a note. */
export async function searchDense(
  { store, models, installed, answering, lifetime }: DenseParts,
  request: { query: string; syntax: boolean; sources: Sources | null; limit: number },
  signal: AbortSignal,
): Promise<DenseResult> {
  const none = (...notes: SearchNote[]): DenseResult => ({ ran: false, found: [], notes });
  const { query, syntax, sources, limit } = request;
  const words = syntax ? parseQuery(query).plain : query;
  const embedders = await installed.embedders();
  if (embedders.length === 0) return none({ type: "no-embedding-model" });
  const { chunks, models: kept } = await store.vectors.status();
  const chosen = await answering.get();
  const model = kept.find((one) => one.model === chosen && embedders.includes(one.model));
  // Nothing is embedded yet: nobody has to wait for the model.
  if (!model || model.vectors === 0) return none({ type: "partly-embedded", embedded: 0, chunks });
  // Only fields or exclusions: nothing to be near to.
  if (words.trim() === "") return none();
  const embedded = await useWithin(
    models.embedder(model.model, { signal: lifetime }),
    PATIENCE_MS,
    signal,
    async (embedder, stop) => (await embedder.embed([words], "query", stop))[0]!,
  );
  if (embedded === "out-of-time") return none({ type: "embedding-out-of-time" });
  if ("error" in embedded) return none({ type: "embedding-failed", error: CorralError.reportOf(embedded.error) });
  const text = syntax ? query : undefined;
  const found = await store.vectors.search(model.model, embedded.value, sources, limit, text);
  const notes: SearchNote[] = [];
  if (kept.length > 1) notes.push({ type: "earlier-embedding-model", model: model.model });
  if (model.vectors < chunks) notes.push({ type: "partly-embedded", embedded: model.vectors, chunks });
  return { ran: true, found, notes };
}
