import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PDFDocument, StandardFonts } from "pdf-lib";
import { openStore } from "../apps/engine-host/src/store/open-store.ts";
import { termsOf } from "../apps/engine-host/src/store/terms.ts";
import { median, progress, report, round, type Table } from "./report.ts";
import { serveHost } from "./served-host.ts";
import { wordOf, SyntheticText } from "./synthetic-text.ts";

/** Chunks of the measurement without files, and chunks of a document there. */
const chunkCount = 50_000;
const chunksPerDocument = 20;
/** Documents that are stored at the same time, as many files do that are read one after the other. */
const storedAtOnce = 16;
/** Files of the measurement from file to index. */
const fileCount = 1000;
/** Words that a library of some thousand pages has: real text has far fewer different words than SyntheticText. */
const vocabulary = 40_000;

/** A good third of English text. */
const functionWords =
  "the of and to in a is that for it as was with be by on not at are this have from or an which were been has will there all".split(
    " ",
  );

/** Sentences whose words repeat as those of real text do. */
class Prose {
  readonly #text: SyntheticText;

  constructor(seed: number) {
    this.#text = new SyntheticText(seed);
  }

  whole(limit: number): number {
    return this.#text.whole(limit);
  }

  words(count: number): string[] {
    return Array.from({ length: count }, () =>
      this.whole(100) < 36
        ? functionWords[Math.floor(functionWords.length * (this.whole(1000) / 1000) ** 2)]!
        : wordOf(this.#text.rank() % vocabulary),
    );
  }

  paragraph(): string {
    const sentences = Array.from({ length: 4 + this.whole(5) }, () => {
      const words = this.words(8 + this.whole(14)).join(" ");
      return `${words[0]!.toUpperCase()}${words.slice(1)}.`;
    });
    return sentences.join(" ");
  }

  paragraphs(count: number): string[] {
    return Array.from({ length: count }, () => this.paragraph());
  }
}

/** What a file of a kind holds, made of `paragraphs` paragraphs. */
const kinds: {
  ending: string;
  share: number;
  content: (prose: Prose, paragraphs: number) => string | Promise<Uint8Array>;
}[] = [
  { ending: "txt", share: 35, content: (prose, count) => prose.paragraphs(count).join("\n\n") },
  {
    ending: "md",
    share: 25,
    content: (prose, count) =>
      prose
        .paragraphs(count)
        .map((text, i) => (i % 6 === 0 ? `## ${prose.words(4).join(" ")}\n\n${text}` : text))
        .join("\n\n"),
  },
  {
    ending: "html",
    share: 20,
    content: (prose, count) =>
      `<!doctype html><title>${prose.words(3).join(" ")}</title><main>${prose
        .paragraphs(count)
        .map((text, i) => (i % 6 === 0 ? `<h2>${prose.words(4).join(" ")}</h2><p>${text}</p>` : `<p>${text}</p>`))
        .join("\n")}</main>`,
  },
  {
    ending: "csv",
    share: 5,
    content: (prose, count) =>
      [
        "name,place,note",
        ...Array.from({ length: 8 * count }, () => prose.words(8).join(" ").replaceAll(" ", ",")),
      ].join("\n"),
  },
  {
    ending: "json",
    share: 5,
    content: (prose, count) =>
      JSON.stringify(
        prose.paragraphs(count).map((text, id) => ({ id, text })),
        null,
        1,
      ),
  },
  {
    ending: "ts",
    share: 5,
    content: (prose, count) =>
      prose
        .paragraphs(count)
        .map((text) => `// ${text}\n`)
        .join("\n"),
  },
  { ending: "pdf", share: 5, content: pdfOf },
];

async function pdfOf(prose: Prose, paragraphs: number): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.TimesRoman);
  const lines = prose.paragraphs(paragraphs).flatMap((text) => text.match(/.{1,90}(?: |$)/g)!);
  for (let at = 0; at < lines.length; at += 55) {
    const page = document.addPage([595, 842]);
    for (const [i, line] of lines.slice(at, at + 55).entries())
      page.drawText(line.trim(), { x: 56, y: 780 - 13 * i, size: 10, font });
  }
  return document.save();
}

/** Writes the files: most are short, some are books. */
async function writeFiles(folder: string): Promise<{ bytes: number }> {
  mkdirSync(folder);
  const prose = new Prose(24_680);
  let bytes = 0;
  let number = 0;
  for (const { ending, share, content } of kinds) {
    for (let i = 0; i < (fileCount * share) / 100; i++, number++) {
      const paragraphs = i % 20 === 19 ? 400 : 4 + prose.whole(40);
      const path = join(folder, `file-${number}.${ending}`);
      writeFileSync(path, await content(prose, paragraphs));
      bytes += statSync(path).size;
    }
  }
  return { bytes };
}

/** Adds the folder and waits until all of it can be searched; then adds it again. */
async function ingest(folder: string): Promise<{ ms: number; again: number; chunks: number }> {
  await using host = await serveHost();
  await using session = await host.connect();
  const { client } = session;
  const { id: collectionId } = await client.library.createCollection({ name: "Mixed" });
  const watching = new AbortController();
  const events = await client.library.watch(undefined, { signal: watching.signal });
  const start = performance.now();
  const added = client.library.addPaths({ collectionId, paths: [folder] });
  const ready = new Map<string, number>();
  for await (const event of events) {
    const changed = event.type === "snapshot" ? event.documents : event.type === "document" ? [event.document] : [];
    for (const { id, name, state, error, chunkCount } of changed) {
      if (state === "failed") throw new Error(`${name}: ${error?.message}`);
      if (state === "ready") ready.set(id, chunkCount ?? 0);
    }
    if (ready.size === fileCount) break;
  }
  await added;
  const ms = performance.now() - start;
  watching.abort();
  const before = performance.now();
  const results = await client.library.addPaths({ collectionId, paths: [folder] });
  const again = performance.now() - before;
  if (results.some(({ outcome }) => outcome !== "unchanged")) throw new Error("A file that did not change was added.");
  return { ms, again, chunks: [...ready.values()].reduce((sum, count) => sum + count, 0) };
}

/** The index without files: chunks into the store, and the same terms into FTS5. */
async function indexAlone(folder: string): Promise<Table> {
  const prose = new Prose(13_579);
  const documents = Array.from({ length: chunkCount / chunksPerDocument }, () =>
    Array.from({ length: chunksPerDocument }, () => prose.paragraphs(2).join(" ")),
  );
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  {
    await using store = await openStore(join(folder, "corral"));
    const { id: collectionId } = await store.collections.create("c");
    let next = 0;
    const addNext = async () => {
      for (let number = next++; number < documents.length; number = next++) {
        const texts = documents[number]!;
        const { id } = await store.documents.create({
          collectionId,
          name: `${number}.txt`,
          format: "text",
          file: { path: `/bench/${number}.txt`, owned: false, sha256: `${number}`, bytes: 1 },
        });
        let at = 0;
        const spans = texts.map((text) => ({ page: 1, start: at, end: (at += text.length) }));
        await store.documents.saveContent(id, {
          title: null,
          language: "en",
          paged: false,
          pages: [{ page: 1, text: texts.join(""), width: null, height: null, lines: [] }],
          chunks: texts.map((text, i) => ({ text, headingPath: [], spans: [spans[i]!], tokenEstimate: 256 })),
        });
      }
    };
    await Promise.all(Array.from({ length: storedAtOnce }, addNext));
  }
  const corral = performance.now() - start;
  const cpu = process.cpuUsage(cpuBefore);

  const plain = new DatabaseSync(join(folder, "fts5.sqlite"));
  plain.exec(
    "PRAGMA journal_mode = wal; CREATE VIRTUAL TABLE chunks USING fts5 (terms, content = '', tokenize = 'ascii')",
  );
  const insert = plain.prepare("INSERT INTO chunks (rowid, terms) VALUES (?, ?)");
  const before = performance.now();
  let chunk = 0;
  for (let number = 0; number < documents.length; number += storedAtOnce) {
    plain.exec("BEGIN");
    for (const texts of documents.slice(number, number + storedAtOnce))
      for (const text of texts) insert.run(++chunk, termsOf(text, "en").join(" "));
    plain.exec("COMMIT");
  }
  const fts = performance.now() - before;
  plain.close();
  const rate = (ms: number) => round((chunkCount / ms) * 1000, 0);
  return [
    {
      index: "Corral: text, pages, postings, on disk after each group",
      "chunks/s": rate(corral),
      "chunks per CPU second": round(chunkCount / ((cpu.user + cpu.system) / 1e6), 0),
    },
    { index: "FTS5: terms alone (cut by Corral)", "chunks/s": rate(fts), "chunks per CPU second": "-" },
  ];
}

/**
 * `npm run bench -- index [ROUNDS]`: 1,000 mixed files from disk until they can be searched, the same folder added again
 * unchanged, and the index alone against FTS5 with the same terms.
 */
export async function run([rounds = "3"]: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "corral-bench-index-"));
  try {
    progress("The index alone …");
    const alone = await indexAlone(folder);
    progress("Writing files …");
    const files = join(folder, "files");
    const { bytes } = await writeFiles(files);
    const results: Awaited<ReturnType<typeof ingest>>[] = [];
    for (let round = 0; round < Number(rounds); round++) {
      results.push(await ingest(files));
      progress(`  round ${round + 1}`);
    }
    const { chunks } = results[0]!;
    const ms = median(results.map((result) => result.ms));
    const again = median(results.map((result) => result.again));
    const whole: Table = [
      {
        files: fileCount,
        MiB: round(bytes / 2 ** 20, 1),
        chunks,
        "first pass, s": round(ms / 1000, 2),
        "chunks/s": round((chunks / ms) * 1000, 0),
        "second pass, ms": round(again, 0),
        "second / first, %": round((100 * again) / ms, 2),
      },
    ];
    report(
      "index",
      { "Mixed files, from disk until found": whole, "The index alone": alone },
      {
        "index alone: at least 12,000 chunks/s": Number(alone[0]!["chunks/s"]) >= 12_000,
        "files: at least 12,000 chunks/s": (chunks / ms) * 1000 >= 12_000,
        "second pass over unchanged files: at most 1 % of the first": again <= ms / 100,
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
