import type { FileHandle } from "node:fs/promises";
import type { LooseBlock, ParsedDocument } from "./block.ts";
import type { Container } from "./container.ts";
import { unreadable } from "./parse-failure.ts";
import { openZip, type ZipEntry } from "./zip-archive.ts";

/** Written by programs for themselves: names that begin with a dot, and what macOS adds. */
const hidden = /(?:^|\/)(?:\.[^./]|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/;

/** Reads the files in a zip archive, one after the other, in the order of their names. */
export async function parseArchive(archive: Uint8Array | FileHandle, container: Container): Promise<ParsedDocument> {
  const entries = await openZip(archive, container.allowance);
  const files = entries
    .filter(({ name }) => !name.endsWith("/") && !hidden.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const done = { files: 0 };
  return { title: null, blocks: fileBlocks(files, container, done), progress: () => done.files / files.length };
}

async function* fileBlocks(
  files: ZipEntry[],
  container: Container,
  done: { files: number },
): AsyncGenerator<LooseBlock, void> {
  let any = false;
  for (const file of files) {
    for await (const block of container.read(file.name, () => unpack(file, container.limits.fileBytes))) {
      any = true;
      yield block;
    }
    done.files++;
  }
  const lost = container.losses.list();
  if (!any && container.outermost && lost.length > 0)
    throw unreadable(`none of the files in it could be read: ${lost.join(", ")}`);
}

/** A file that is too large alone is left out; the others are still read. */
async function unpack(file: ZipEntry, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of file.stream()) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw unreadable("too large to be read from within another file");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
