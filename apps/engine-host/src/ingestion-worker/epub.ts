import { posix } from "node:path";
import type { LooseBlock, ParsedDocument } from "./block.ts";
import { parseHtml } from "./html.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";
import { cleanText, decodeText } from "./text-encoding.ts";
import { readXml } from "./xml-reader.ts";
import { openZip, type UnpackAllowance, type ZipEntry } from "./zip-archive.ts";

/** Chapters that carry no more than the publisher's own list of chapters are listed as this property. */
const navigation = "nav";

/** Reads an EPUB book: its chapters in reading order, each as a section. */
export async function parseEpub(bytes: Buffer, allowance: UnpackAllowance): Promise<ParsedDocument> {
  const parts = new Map((await openZip(bytes, allowance)).map((entry) => [entry.name, entry]));
  if (parts.has("META-INF/encryption.xml") && parts.has("META-INF/rights.xml")) {
    throw new ParseFailure({ kind: "password-protected" });
  }
  const packagePath = await findPackage(parts.get("META-INF/container.xml"));
  const packagePart = parts.get(packagePath);
  if (!packagePart) throw unreadable("it is damaged or not an EPUB book");
  const { title, chapters } = await readPackage(packagePart);
  const found = chapters.flatMap((href) => parts.get(posix.join(posix.dirname(packagePath), href)) ?? []);
  const done = { chapters: 0 };
  return {
    title,
    blocks: chapterBlocks(found, done),
    progress: () => done.chapters / Math.max(1, found.length),
  };
}

async function* chapterBlocks(parts: ZipEntry[], done: { chapters: number }): AsyncGenerator<LooseBlock, void> {
  for (const part of parts) {
    const { blocks } = parseHtml(decodeText(await part.unpack()), { xhtml: true });
    // A chapter is called by its first heading, wherever in it that stands.
    const sectionLabel = blocks.find((block) => block.kind === "heading")?.text ?? "";
    for (const [i, block] of blocks.entries()) yield i === 0 ? { ...block, startsSection: true, sectionLabel } : block;
    done.chapters++;
  }
}

async function findPackage(container: ZipEntry | undefined): Promise<string> {
  let path = "";
  if (container) {
    await readXml(container.stream(), {
      open: (name, attributes) => {
        if (name === "rootfile" && path === "") path = attributes["full-path"] ?? "";
      },
    });
  }
  return path;
}

async function readPackage(part: ZipEntry): Promise<{ title: string | null; chapters: string[] }> {
  const items = new Map<string, string>();
  const order = new Set<string>();
  let title = "";
  let inTitle = false;
  await readXml(part.stream(), {
    open(name, attributes) {
      if (name === "title") inTitle = title === "";
      else if (name === "item" && !attributes["properties"]?.split(" ").includes(navigation)) {
        items.set(attributes["id"] ?? "", safeDecode(attributes["href"] ?? ""));
      } else if (name === "itemref") order.add(attributes["idref"] ?? "");
    },
    close(name) {
      if (name === "title") inTitle = false;
    },
    text(piece) {
      if (inTitle) title += piece;
    },
  });
  const chapters = new Set([...order].flatMap((id) => items.get(id) ?? []));
  return { title: cleanText(title).replace(/\s+/g, " ").trim().slice(0, 500) || null, chapters: [...chapters] };
}

/** Paths are written as addresses: "Chapter%201.xhtml". */
function safeDecode(href: string): string {
  try {
    return decodeURIComponent(href.split("#")[0]!);
  } catch {
    return href;
  }
}
