import { CorralError, type DocumentSummary, type OcrData } from "@corral/protocol";
import { resolve } from "node:path";
import { addDocuments, type AddedDocument } from "./add-documents.ts";
import { defineCommand, UsageError } from "./command.ts";
import { bytes, count, table } from "./output.ts";
import { describeFolders, folderAt, followFolder, forgetFolder } from "./followed-folders.ts";
import { findCollection } from "./sources.ts";
import { transferCollection } from "./transfer-collection.ts";

export const docs = defineCommand({
  name: "docs",
  summary: "add, list, remove, export and import documents, follow folders",
  help: `
Usage: corral docs add PATH… --collection NAME [--json]
       corral docs list [--collection NAME] [--json]
       corral docs remove NAME|ID… --collection NAME [--json]
       corral docs watch [FOLDER… --collection NAME] [--json]
       corral docs unwatch FOLDER|ID… [--remove-documents] [--json]
       corral docs export FILE --collection NAME [--without-originals] [--without-vectors] [--json]
       corral docs import FILE [--collection NAME] [--json]
       corral docs ocr-languages [--json]

add     reads files, or all files of folders, in place and waits until they can be searched; makes the collection when it
        is missing. A file that is already there unchanged is not read again. Ctrl-C stops reading.
        With --json: {"collection","documents":[{"file","outcome","id","state","pages","chunks","error"}]}
list    shows the documents of a collection, or of all of them.
remove  forgets documents; the files themselves stay where they are.
watch   follows folders: files added, changed, renamed or deleted there are so in the collection, as long as Corral runs and
        at its next start. Waits until what is there now is read. Without a folder it lists those that are followed.
unwatch stops following; documents stay, unless --remove-documents is given.
export  writes a collection to one file: what was read, what makes it findable, and the original files where they are
        still what was read.
import  makes a collection of such a file, under its own name or another one; nothing has to be read again.
ocr-languages
        lists the languages in which the text of scans and pictures is recognised, and says where others are put.
Kinds of files: PDF, Office and OpenDocument, RTF, EPUB, HTML, Markdown, text, CSV, JSON, mail, source code, scans and
pictures, ZIP archives of these. The exit code is 1 when a file could not be read.`,
  options: {
    collection: { type: "string" },
    "remove-documents": { type: "boolean" },
    "without-originals": { type: "boolean" },
    "without-vectors": { type: "boolean" },
  },
  async run({ values, positionals, connect, output, signal }) {
    const [action, ...names] = positionals;
    const collectionName = values.collection?.trim();
    const actions = ["add", "list", "remove", "watch", "unwatch", "export", "import", "ocr-languages"];
    if (!action || !actions.includes(action)) {
      throw new UsageError(`Say what to do: corral docs ${actions.slice(0, -1).join(", ")} or ${actions.at(-1)}.`);
    }
    if (action === "export" || action === "import") {
      if (action === "export" && !collectionName) throw new UsageError("Say which collection: --collection NAME.");
      const originals = !values["without-originals"];
      const vectors = !values["without-vectors"];
      await using session = await connect();
      const options = { collection: collectionName, originals, vectors };
      await transferCollection(session.client, action, names, options, output, signal);
      return 0;
    }
    if (action === "watch" || action === "unwatch") {
      const removeDocuments = values["remove-documents"] ?? false;
      if (action === "unwatch" && names.length === 0) throw new UsageError("Say which folders to stop following.");
      if (action === "watch" && names.length > 0 && !collectionName) {
        throw new UsageError("Say in which collection: --collection NAME.");
      }
      await using session = await connect();
      const { client } = session;
      if (action === "unwatch") {
        // All are looked up before any is forgotten.
        const chosen = await Promise.all(names.map((name) => folderAt(client, name, signal)));
        for (const folder of chosen) await forgetFolder(client, folder, removeDocuments, signal);
        output.result({ unwatched: chosen }, () => `Stopped following ${count(chosen.length, "folder")}.`);
        return 0;
      }
      const followed = [];
      for (const name of names)
        followed.push(await followFolder(client, collectionName ?? "", resolve(name), output, signal));
      const folders = names.length > 0 ? followed : await client.library.folders(undefined, { signal });
      const collections = await client.library.collections(undefined, { signal });
      output.result({ folders }, () => describeFolders(folders, collections));
      return folders.some(({ error }) => error) ? 1 : 0;
    }
    if (action === "ocr-languages") {
      if (names.length > 0) throw new UsageError("corral docs ocr-languages takes no arguments.");
      await using session = await connect();
      const data = await session.client.library.recognition(undefined, { signal });
      output.result(data, () => describeLanguages(data));
      return 0;
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

function describeLanguages({ directory, languages }: OcrData): string {
  const rows = languages.map(({ name, bytes: size, usable }) => [name, bytes(size), usable ? "usable" : "damaged"]);
  const list = rows.length > 0 ? `${table([["LANGUAGE", "SIZE", "STATE"], ...rows])}\n` : "No language is installed.\n";
  return `${list}To add one, put its Tesseract data (such as deu.traineddata) into ${directory}; it is used from the next file on.`;
}

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
