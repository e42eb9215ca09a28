import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { judgedQueries } from "../apps/engine-host/src/retrieval/judged-queries.ts";
import { ndcg, recall } from "../apps/engine-host/src/retrieval/ranking-metrics.ts";
import { readLimits } from "../apps/engine-host/src/ingestion/reading-queue.ts";
import { readDocument } from "../apps/engine-host/src/ingestion-worker/read-document.ts";
import { estimateTokens } from "../apps/engine-host/src/ingestion-worker/token-estimate.ts";
import { openStore } from "../apps/engine-host/src/store/open-store.ts";
import type { DocumentContent, Store } from "../apps/engine-host/src/store/store.ts";
import { percentile, progress, report, round, type Table } from "./report.ts";

/** A text of a collection. */
interface Entry {
  _id: string;
  title?: string;
  text: string;
}

/** Sentences that make an article, and a paragraph of it, where a collection of sentences is joined again. */
const sentencesPerArticle = 25;
const sentencesPerParagraph = 5;
/** Tokens of context that an answer should lie in. */
const contexts = [500, 1000, 2000] as const;
/** Passages that are enough to fill the largest context. */
const passages = 40;
/** Documents looked at for recall@100: passages asked for until they are of so many. */
const passageSteps = [100, 300, 1000];
const savedAtOnce = 32;

/** Reads text files as an ingestion worker does and stores them. */
async function addTexts(store: Store, folder: string, texts: { id: string; text: string }[]): Promise<number> {
  const { id: collectionId } = await store.collections.create("bench");
  mkdirSync(folder);
  let chunkCount = 0;
  const add = async ({ id, text }: { id: string; text: string }) => {
    // Cranfield has two texts without a word; Corral refuses such a file.
    if (text.trim() === "") return;
    const path = join(folder, `${id}.txt`);
    writeFileSync(path, text);
    const content = await contentOf(path);
    chunkCount += content.chunks.length;
    const file = { path, owned: false, sha256: id, bytes: text.length };
    const { id: documentId } = await store.documents.create({ collectionId, name: `${id}.txt`, format: "text", file });
    await store.documents.saveContent(documentId, content);
  };
  for (let at = 0; at < texts.length; at += savedAtOnce) await Promise.all(texts.slice(at, at + savedAtOnce).map(add));
  return chunkCount;
}

async function contentOf(path: string): Promise<DocumentContent> {
  const content: DocumentContent = { title: null, language: null, paged: false, pages: [], chunks: [] };
  for await (const part of readDocument({ path, format: "text", limits: readLimits, recognition: null })) {
    if (part.type === "part") {
      content.pages.push(...part.pages);
      content.chunks.push(...part.chunks);
    } else Object.assign(content, { title: part.title, language: part.language });
  }
  return content;
}

function textFile(folder: string, name: string) {
  return { name, content: readFileSync(join(folder, name), "utf8") };
}

const nameOf = (document: string) => document.replace(/\.txt$/, "");

/** How well the documents that people judged relevant are found. */
async function measureRanking(folder: string, texts: Entry[]): Promise<Table[number]> {
  const directory = mkdtempSync(join(tmpdir(), "corral-quality-"));
  try {
    await using store = await openStore(directory);
    const files = texts.map(({ _id, title, text }) => ({ id: _id, text: title ? `${title}\n\n${text}` : text }));
    const chunks = await addTexts(store, join(directory, "texts"), files);
    const queries = judgedQueries(textFile(folder, "queries.jsonl"), textFile(folder, "qrels.tsv"));
    const sums = { ndcg: 0, recall5: 0, recall100: 0 };
    const times: number[] = [];
    for (const { text, gains } of queries) {
      const start = performance.now();
      await store.index.search(text, null, 10);
      times.push(performance.now() - start);
      let ranked: string[] = [];
      for (const limit of passageSteps) {
        const hits = await store.index.search(text, null, limit);
        ranked = [...new Set(hits.map(({ chunk }) => nameOf(chunk.document)))];
        if (ranked.length >= 100 || hits.length < limit) break;
      }
      sums.ndcg += ndcg(ranked, gains, 10);
      sums.recall5 += recall(ranked, gains, 5);
      sums.recall100 += recall(ranked, gains, 100);
    }
    const mean = (sum: number) => round((100 * sum) / queries.length, 1);
    return {
      collection: basename(folder),
      texts: texts.length,
      chunks,
      queries: queries.length,
      "nDCG@10": mean(sums.ndcg),
      "recall@5": mean(sums.recall5),
      "recall@100": mean(sums.recall100),
      "p50 ms": round(percentile(times, 0.5), 1),
      "p95 ms": round(percentile(times, 0.95), 1),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Whether the sentence that answers a question lies in the first tokens of what is found, where the collection's sentences
 * are joined to articles again and cut as the product cuts them.
 */
async function measureContext(folder: string, texts: Entry[]): Promise<Table[number]> {
  const directory = mkdtempSync(join(tmpdir(), "corral-context-"));
  try {
    await using store = await openStore(directory);
    const chunks = await addTexts(store, join(directory, "texts"), articles(texts));
    const queries = judgedQueries(textFile(folder, "queries.jsonl"), textFile(folder, "qrels.tsv"));
    const textOf = new Map(texts.map(({ _id, text }) => [_id, plain(text)]));
    const found = contexts.map(() => 0);
    for (const { text, gains } of queries) {
      const answers = [...gains].filter(([, gain]) => gain > 0).map(([id]) => textOf.get(id)!);
      const hits = await store.index.search(text, null, passages);
      for (const [i, tokens] of contexts.entries()) {
        const context = firstTokens(hits, tokens);
        if (answers.some((answer) => context.includes(answer))) found[i]!++;
      }
    }
    const share = (count: number) => round((100 * count) / queries.length, 1);
    return {
      collection: basename(folder),
      articles: articles(texts).length,
      chunks,
      queries: queries.length,
      ...Object.fromEntries(contexts.map((tokens, i) => [`in ${tokens} tokens, %`, share(found[i]!)])),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function articles(sentences: Entry[]): { id: string; text: string }[] {
  const joined: { id: string; text: string }[] = [];
  for (let start = 0; start < sentences.length; start += sentencesPerArticle) {
    const paragraphs: string[] = [];
    for (let at = start; at < Math.min(start + sentencesPerArticle, sentences.length); at += sentencesPerParagraph) {
      const end = Math.min(at + sentencesPerParagraph, start + sentencesPerArticle);
      paragraphs.push(
        sentences
          .slice(at, end)
          .map(({ text }) => text.trim())
          .join(" "),
      );
    }
    joined.push({ id: `article-${joined.length}`, text: paragraphs.join("\n\n") });
  }
  return joined;
}

/** The text of the best passages, up to so many tokens; the last one is cut off. */
function firstTokens(hits: { chunk: { text: string; language: string | null } }[], most: number): string {
  let context = "";
  let left = most;
  for (const { chunk } of hits) {
    const tokens = estimateTokens(chunk.text, chunk.language);
    const share = Math.min(1, left / tokens);
    context += `\n${plain(chunk.text.slice(0, Math.floor(chunk.text.length * share)))}`;
    left -= tokens;
    if (left <= 0) break;
  }
  return context;
}

/** Letters and digits alone: reading a file may change blanks, quotes and invisible characters. */
function plain(text: string): string {
  return text.normalize("NFKC").replace(/[^\p{L}\p{N}\p{M}]+/gu, "");
}

/**
 * `npm run bench -- search-quality FOLDER…`: how well the lexical index finds what people judged relevant, on collections in
 * BEIR's layout (corpus.jsonl, queries.jsonl, qrels.tsv). Each text is read from a text file as a user's would be. Where
 * the texts are single sentences (XQuAD-R: their ids begin with "s"), they are joined to articles too, to see whether the
 * answer is among the first tokens that are found. Corral ships no such collection.
 */
export async function run(folders: string[]): Promise<void> {
  if (folders.length === 0) throw new Error("Name at least one folder with a collection in BEIR's layout.");
  const ranking: Table = [];
  const context: Table = [];
  for (const folder of folders) {
    progress(folder);
    const lines = readFileSync(join(folder, "corpus.jsonl"), "utf8").trim().split("\n");
    const texts = lines.map((line) => JSON.parse(line) as Entry);
    ranking.push(await measureRanking(folder, texts));
    if (texts[0]!._id.startsWith("s")) context.push(await measureContext(folder, texts));
  }
  report(
    "search-quality",
    { "Search quality": ranking, "Answers in the context, sentences joined to articles": context },
    {},
  );
}
