import { evaluate } from "../retrieval/evaluate.ts";
import { procedure, signalOf, stream } from "./procedure.ts";

const area = procedure.library;

export const library = {
  watch: area.watch.handler(({ context, signal }) => stream(context.services.library.watch(signalOf(signal)))),
  collections: area.collections.handler(({ context }) => context.services.library.collections()),
  createCollection: area.createCollection.handler(({ input, context }) =>
    context.services.library.createCollection(input.name),
  ),
  renameCollection: area.renameCollection.handler(({ input, context }) =>
    context.services.library.renameCollection(input.collectionId, input.name),
  ),
  removeCollection: area.removeCollection.handler(({ input, context }) =>
    context.services.library.removeCollection(input.collectionId),
  ),
  documents: area.documents.handler(({ input, context }) => context.services.library.documents(input.collectionId)),
  addPaths: area.addPaths.handler(({ input, context }) =>
    context.services.library.addPaths(input.collectionId, input.paths),
  ),
  folders: area.folders.handler(({ context }) => context.services.library.folders()),
  watchFolder: area.watchFolder.handler(({ input, context }) =>
    context.services.library.followFolder(input.collectionId, input.path),
  ),
  unwatchFolder: area.unwatchFolder.handler(({ input, context }) =>
    context.services.library.unfollowFolder(input.folderId, input.removeDocuments ?? false),
  ),
  storage: area.storage.handler(({ input, context }) => context.services.library.storage(input.collectionId)),
  recognition: area.recognition.handler(({ context }) => context.services.library.recognition()),
  exportCollection: area.exportCollection.handler(({ input, context, signal }) => {
    const { collectionId, path, originals, vectors } = input;
    return stream(
      context.services.library.exportCollection(collectionId, path, { originals, vectors }, signalOf(signal)),
    );
  }),
  importCollection: area.importCollection.handler(({ input, context, signal }) =>
    stream(context.services.library.importCollection(input.path, input.name ?? null, signalOf(signal))),
  ),
  cancel: area.cancel.handler(({ input, context }) => context.services.library.cancel(input.documentId)),
  retry: area.retry.handler(({ input, context }) => context.services.library.retry(input.documentId)),
  removeDocument: area.removeDocument.handler(({ input, context }) =>
    context.services.library.removeDocument(input.documentId),
  ),
  page: area.page.handler(({ input, context }) =>
    context.services.library.page(input.documentId, input.page, input.highlight),
  ),
  pageImage: area.pageImage.handler(async ({ input, context, signal }) => {
    const png = await context.services.library.pageImage(input.documentId, input.page, input.scale, signalOf(signal));
    // Copied: a Blob takes no bytes that might lie in shared memory, as far as their type says.
    return new Blob([new Uint8Array(png)], { type: "image/png" });
  }),
  search: area.search.handler(async ({ input, context, signal }) => {
    const started = performance.now();
    const { query, sources, limit, syntax } = input;
    const result = await context.services.retrieval.search(query, sources, limit, signal, { syntax });
    return { ...result, tookMs: performance.now() - started };
  }),
  evaluate: area.evaluate.handler(({ input, context, signal }) =>
    stream(evaluate(context.services.retrieval, input, signalOf(signal))),
  ),
  embedding: area.embedding.handler(({ context, signal }) =>
    stream(context.services.embedding.watch(signalOf(signal))),
  ),
  pauseEmbedding: area.pauseEmbedding.handler(({ input, context }) => context.services.embedding.pause(input.paused)),
};
