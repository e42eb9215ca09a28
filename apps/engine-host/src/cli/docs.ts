import { CorralError, type DocumentSummary } from "@corral/protocol";
import { resolve } from "node:path";
import { addDocuments, type AddedDocument } from "./add-documents.ts";
import { defineCommand, UsageError } from "./command.ts";
import { bytes, count, table } from "./output.ts";
import { findCollection } from "./sources.ts";

export const docs = defineCommand({
  name: "docs",
  summary: "add, list and remove documents",
  help: `
Usage: corral docs add PATH… --collection NAME [--json]
       corral docs list [--collection NAME] [--json]
       corral docs remove NAME|ID… --collection NAME [--json]

add     reads files, or all files of folders, in place and waits until they can be searched; makes the collection when it
        is missing. A file that is already there unchanged is not read again. Ctrl-C stops reading.
        With --json: {"collection","documents":[{"file","outcome","id","state","pages","chunks","error"}]}
list    shows the documents of a collection, or of all of them.
remove  forgets documents; the files themselves stay where they are.
Kinds of files: text, Markdown, HTML, PDF and DOCX. The exit code is 1 when a file could not be read.`,
  options: { collection: { type: "string" } },
  async run({ values, positionals, connect, output, signal }) {
    const [action, ...names] = positionals;
    const collectionName = values.collection?.trim();
    if (action !== "add" && action !== "list" && action !== "remove") {
      throw new UsageError("Say what to do: corral docs add, corral docs list or corral docs remove.");
    }
    if (action !== "list" && names.length === 0) {
      throw new UsageError(action === "add" ? "Say which files or folders to add." : "Say which documents to remove.");
    }
    if (action === "list" && names.length > 0) throw new UsageError("corral docs list takes no arguments.");
    if (action !== "list" && !collectionName) throw new UsageError("Say in which collection: --collection NAME.");

    await using session = await connect();
    const { client } = session;
    if (action === "list") {
      const chosen = collectionName ? await findCollection(client, collectionName, signal) : null;
      const documents = await client.library.documents(chosen ? { collectionId: chosen.id } : {}, { signal });
      const collections = await client.library.collections(undefined, { signal });
      const nameOf = new Map(collections.map((collection) => [collection.id, collection.name]));
      const listed = documents.map((document) => ({
        collection: nameOf.get(document.collectionId) ?? "",
        ...listedDocument(document),
      }));
      output.result({ documents: listed }, () => describeList(listed));
      return 0;
    }
    if (action === "remove") {
      const collection = await findCollection(client, collectionName ?? "", signal);
      const documents = await client.library.documents({ collectionId: collection.id }, { signal });
      // All are looked up before any is removed: a mistyped name removes nothing.
      const chosen = names.flatMap((name) => documentsNamed(documents, name));
      for (const { id } of chosen) await client.library.removeDocument({ documentId: id }, { signal });
      const removed = chosen.map(({ id, name }) => ({ id, name }));
      output.result({ removed }, () => `Removed ${count(removed.length, "document")}.`);
      return 0;
    }
    const paths = names.map((name) => resolve(name));
    const added = await addDocuments(client, collectionName ?? "", paths, output, signal);
    const { done, failed } = describeAdded(added.documents);
    if (output.json) output.result(added, () => "");
    for (const line of done) output.print(line);
    if (!output.json) for (const line of failed) output.note(line);
    return failed.length > 0 ? 1 : 0;
  },
});

function documentsNamed(documents: DocumentSummary[], name: string): DocumentSummary[] {
  const found = documents.filter((document) => document.name === name || document.id === name);
  if (found.length > 0) return found;
  throw new CorralError(
    "DOCUMENT_NOT_FOUND",
    `There is no document "${name}" in the collection; nothing was removed.`,
    { document: name },
  );
}

function listedDocument(document: DocumentSummary) {
  const { id, name, format, bytes: size, state, paged, pageCount, chunkCount, addedAt, error } = document;
  return {
    id,
    name,
    format,
    bytes: size,
    state,
    pages: paged ? pageCount : null,
    chunks: chunkCount,
    addedAt,
    ...(error ? { error } : {}),
  };
}

function describeList(documents: (ReturnType<typeof listedDocument> & { collection: string })[]): string {
  if (documents.length === 0) return "There are no documents.";
  const rows = documents.map((each) => [
    each.collection,
    each.name,
    bytes(each.bytes),
    each.pages === null ? "" : count(each.pages, "page"),
    each.error ? each.error.message : each.state,
  ]);
  return table([["COLLECTION", "DOCUMENT", "SIZE", "LENGTH", "STATE"], ...rows]);
}

/** Lines for what was added, and lines for what was not. */
function describeAdded(documents: AddedDocument[]): { done: string[]; failed: string[] } {
  const done: string[] = [];
  const failed: string[] = [];
  for (const { file, outcome, pages, chunks, error, state } of documents) {
    const size = [
      ...(pages === null ? [] : [count(pages, "page")]),
      ...(chunks === null ? [] : [count(chunks, "passage")]),
    ];
    if (error && state !== "ready") failed.push(`✗ ${file}: ${error.message}`);
    else if (error) done.push(`! ${file}: ${error.message}`);
    else done.push(`✓ ${file}: ${outcome === "unchanged" ? "already there" : (state ?? "added")}, ${size.join(", ")}`);
  }
  return { done, failed };
}
