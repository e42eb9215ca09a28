/**
 * What was dropped, folders replaced by all files below them. A browser hands a folder over as a file that cannot be read.
 * Call it during the drop event: what the event brings is gone afterwards.
 */
export function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const files = [...transfer.files];
  const entries = [...transfer.items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry());
  if (!entries.some((entry) => entry?.isDirectory)) return Promise.resolve(files);
  return flatten(entries.map((entry, at) => (entry ? filesBelow(entry) : Promise.resolve(files.slice(at, at + 1)))));
}

/** Hidden files (".DS_Store", ".git") are not what a person means by a folder's documents. */
async function filesBelow(entry: FileSystemEntry): Promise<File[]> {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile)
    return [await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  // A directory is read in portions; an empty one ends it.
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (portion.length === 0) return flatten(found.map(filesBelow));
    found.push(...portion);
  }
}

async function flatten(lists: Promise<File[]>[]): Promise<File[]> {
  return (await Promise.all(lists)).flat();
}
