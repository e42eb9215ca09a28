import type { CorralClient, TransferEvent } from "@corral/protocol";
import { basename, resolve } from "node:path";
import { UsageError } from "./command.ts";
import { bytes, count, type Output } from "./output.ts";
import { findCollection } from "./sources.ts";

export interface TransferOptions {
  /** Name of the collection: to export, or as which to import. */
  collection: string | undefined;
  originals: boolean;
  vectors: boolean;
}

/** `corral docs export --collection NAME FILE` and `corral docs import FILE`. */
export async function transferCollection(
  client: CorralClient,
  action: "export" | "import",
  files: string[],
  { collection, originals, vectors }: TransferOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const [file, ...more] = files;
  if (!file || more.length > 0) throw new UsageError(`Name one file: corral docs ${action} FILE.`);
  const path = resolve(file);
  if (action === "export") {
    const { id } = await findCollection(client, collection ?? "", signal);
    const events = await client.library.exportCollection({ collectionId: id, path, originals, vectors }, { signal });
    const done = await lastOf(events, "Exporting …", output);
    output.result({ file: path, ...described(done) }, () =>
      [
        `Wrote ${done.collection.name} (${count(done.documents, "document")}) to ${path}, ${bytes(done.bytes)}.`,
        ...(done.withoutOriginal > 0
          ? [
              `The files of ${count(done.withoutOriginal, "document")} have changed or are gone: only their text is in it.`,
            ]
          : []),
      ].join("\n"),
    );
    return;
  }
  const input = { path, ...(collection !== undefined && { name: collection }) };
  const events = await client.library.importCollection(input, { signal });
  const done = await lastOf(events, `Importing ${basename(path)} …`, output);
  output.result(described(done), () => `Imported ${done.collection.name} (${count(done.documents, "document")}).`);
}

type Done = Extract<TransferEvent, { type: "done" }>;

function described({ collection, documents, bytes: size, withoutOriginal }: Done) {
  return { collection: collection.name, documents, bytes: size, withoutOriginal };
}

async function lastOf(events: AsyncIterable<TransferEvent>, what: string, output: Output): Promise<Done> {
  for await (const event of events) {
    if (event.type === "done") {
      output.clearStatus();
      return event;
    }
    output.status(`${what} ${Math.round((100 * event.done) / Math.max(1, event.total))} %`, what);
  }
  throw new Error("The host ended the transfer without a result.");
}
