import { CorralError, type Collection, type ModelSummary, type Sources } from "@corral/protocol";
import type { Models } from "../models/models.ts";
import type { Store } from "../store/store.ts";
import { z } from "zod";
import { boundedList } from "./request-body.ts";

/** The extension field `corral` of every generating request. */
export const corralField = z
  .object({
    /** Names of collections the answer must rest on. */
    collections: boundedList(z.string().min(1).max(200), 64).optional(),
    /** Ids of documents, besides or instead of collections. */
    documents: boundedList(z.string().min(1).max(100), 256).optional(),
    /** batch: gives way to those somebody waits for. */
    priority: z.enum(["interactive", "batch"]).optional(),
  })
  .strict();
export type CorralField = z.infer<typeof corralField>;

/** What a request is answered with. */
export interface ModelChoice {
  model: ModelSummary;
  /** Both lists empty: no documents. */
  sources: Sources;
}

export interface ModelDirectory {
  models: Pick<Models, "list">;
  store: { collections: Pick<Store["collections"], "list" | "getByName">; documents: Pick<Store["documents"], "get"> };
}

/**
 * Finds the model and the documents a request names: `MODEL`, `MODEL+COLLECTION`, and the field `corral`.
 * @throws CorralError MODEL_NOT_FOUND, COLLECTION_NOT_FOUND, DOCUMENT_NOT_FOUND
 */
export async function chooseModel(
  name: string,
  corral: CorralField | null | undefined,
  { models, store }: ModelDirectory,
): Promise<ModelChoice> {
  const plus = name.indexOf("+");
  const id = plus === -1 ? name : name.slice(0, plus);
  const model = (await models.list()).find((candidate) => candidate.id === id);
  if (model === undefined) {
    const message = `There is no model "${id.slice(0, 200)}" here. GET /v1/models lists those there are.`;
    throw new CorralError("MODEL_NOT_FOUND", message, { model: id });
  }
  const names = [...(corral?.collections ?? []), ...(plus === -1 ? [] : [name.slice(plus + 1)])];
  const documentIds = [...new Set(corral?.documents ?? [])];
  for (const document of documentIds) {
    if ((await store.documents.get(document)) !== null) continue;
    throw new CorralError("DOCUMENT_NOT_FOUND", `There is no document "${document}" here.`, { document });
  }
  const collections = await Promise.all(names.map((collection) => existing(collection, store.collections)));
  return { model, sources: { collectionIds: [...new Set(collections.map(({ id }) => id))], documentIds } };
}

export function hasSources({ collectionIds, documentIds }: Sources): boolean {
  return collectionIds.length + documentIds.length > 0;
}

async function existing(name: string, collections: Pick<Store["collections"], "getByName">): Promise<Collection> {
  const collection = await collections.getByName(name);
  if (collection !== null) return collection;
  const message = `There is no collection "${name.slice(0, 200)}" here. The models of GET /v1/models name those there are.`;
  throw new CorralError("COLLECTION_NOT_FOUND", message, { collection: name });
}

/** A model as the lists of both APIs have it. */
export interface ListedModel {
  /** `MODEL` or `MODEL+COLLECTION`. */
  id: string;
  /** For people. */
  name: string;
  model: ModelSummary;
  collection: Collection | null;
}

/** Every model that has its file, and every model that answers together with every collection that holds documents. */
export async function listModels({ models, store }: ModelDirectory): Promise<ListedModel[]> {
  const present = (await models.list()).filter(({ state }) => state !== "absent");
  const collections = (await store.collections.list()).filter(({ documentCount }) => documentCount > 0);
  return present.flatMap((model) => [
    { id: model.id, name: model.name, model, collection: null },
    ...(model.ability === "chat" || model.ability === "quote" ? collections : []).map((collection) => ({
      id: `${model.id}+${collection.name}`,
      name: `${model.name} with ${collection.name}`,
      model,
      collection,
    })),
  ]);
}
