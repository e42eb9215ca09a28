import { describe, expect, it } from "vitest";
import type { Block, LooseBlock } from "./block.ts";
import { chunkTokens, createChunker } from "./chunker.ts";
import { layOutSections } from "./sections.ts";
import { estimateTokens } from "./token-estimate.ts";
import type { PageContent } from "../store/store.ts";

async function chunksOf(blocks: LooseBlock[], language: string | null = "en") {
  const chunker = createChunker({ language, paged: false });
  const pages: PageContent[] = [];
  const chunks = [];
  for await (const part of layOutSections(blocks, () => 0)) {
    pages.push(...part.pages);
    chunks.push(...chunker.push(part.blocks));
  }
  chunks.push(...chunker.finish());
  for (const chunk of chunks) expect(textUnder(pages, chunk.spans)).toBe(chunk.text);
  return { chunks, pages };
}

/** The property every chunk must have: its text is the concatenation of the page text under its spans. */
function textUnder(pages: PageContent[], spans: { page: number; start: number; end: number }[]): string {
  return spans.map((span) => pages[span.page - 1]!.text.slice(span.start, span.end)).join("");
}

const paragraph = (text: string): LooseBlock => ({ kind: "paragraph", level: 0, text });
const heading = (level: number, text: string): LooseBlock => ({ kind: "heading", level, text });
const sentences = (count: number, subject: string) =>
  Array.from({ length: count }, (_, i) => `Sentence ${i} says that the ${subject} is kept in room number ${i}.`).join(
    " ",
  );

describe("chunker", () => {
  it("packs short paragraphs together and closes a chunk at 256 tokens", async () => {
    const { chunks } = await chunksOf(Array.from({ length: 30 }, (_, i) => paragraph(sentences(3, `tool ${i}`))));
    expect(chunks.length).toBeGreaterThan(3);
    for (const chunk of chunks) expect(chunk.tokenEstimate).toBeLessThanOrEqual(chunkTokens * 1.3);
    for (const chunk of chunks.slice(0, -1)) expect(chunk.tokenEstimate).toBeGreaterThan(chunkTokens / 2);
    // Whole paragraphs, each in exactly one chunk.
    for (let i = 0; i < 30; i++) {
      expect(chunks.filter((chunk) => chunk.text.includes(sentences(3, `tool ${i}`)))).toHaveLength(1);
    }
  });

  it("splits a long paragraph at sentences and repeats about 15 % of a part in the next", async () => {
    const { chunks } = await chunksOf([paragraph(sentences(100, "lamp"))]);
    expect(chunks.length).toBeGreaterThan(4);
    for (const [i, chunk] of chunks.entries()) {
      expect(chunk.text).toMatch(/^Sentence \d+ says/);
      expect(chunk.text).toMatch(/room number \d+\.$/);
      expect(chunk.tokenEstimate).toBeLessThanOrEqual(chunkTokens * 1.3);
      const next = chunks[i + 1];
      if (!next) continue;
      const overlap =
        chunk.spans.at(-1)!.page === next.spans[0]!.page ? chunk.spans.at(-1)!.end - next.spans[0]!.start : 1;
      expect(overlap).toBeGreaterThan(0);
      expect(estimateTokens("x".repeat(overlap), "en")).toBeLessThanOrEqual(chunkTokens * 0.15 + 1);
    }
    const all = chunks.map((chunk) => chunk.text).join(" ");
    for (let i = 0; i < 100; i++) expect(all).toContain(`Sentence ${i} says`);
  });

  it("tracks the heading path and does not run across a top-level heading", async () => {
    const { chunks } = await chunksOf([
      heading(1, "Opening hours"),
      paragraph("The gate opens at nine."),
      heading(2, "Winter"),
      paragraph("In winter it opens at ten."),
      heading(1, "Tickets"),
      paragraph("A ticket costs 12 euro."),
    ]);
    expect(chunks.map((chunk) => chunk.headingPath)).toEqual([["Opening hours"], ["Tickets"]]);
    expect(chunks[0]!.text).toContain("In winter it opens at ten.");
    expect(chunks[1]!.text).toBe("Tickets\n\nA ticket costs 12 euro.");
  });

  it("keeps the deeper path when a section is large enough to stand alone", async () => {
    const { chunks } = await chunksOf([
      heading(1, "Guide"),
      heading(2, "Oil"),
      paragraph(sentences(12, "oil")),
      heading(2, "Filter"),
      paragraph(sentences(12, "filter")),
    ]);
    expect(chunks.map((chunk) => chunk.headingPath)).toEqual([
      ["Guide", "Oil"],
      ["Guide", "Filter"],
    ]);
  });

  it("joins a paragraph that runs over a page break before looking for sentences", async () => {
    const chunker = createChunker({ language: "en", paged: true });
    const first: Block = {
      ...paragraph("The pump is "),
      spans: [{ page: 1, start: 5, end: 17 }],
      continues: true,
    };
    const second: Block = { ...paragraph("blue.\n\n"), spans: [{ page: 2, start: 0, end: 7 }], continues: false };
    chunker.push([first]);
    const chunks = [...chunker.push([second]), ...chunker.finish()];
    expect(chunks).toEqual([
      {
        text: "The pump is blue.",
        headingPath: [],
        spans: [
          { page: 1, start: 5, end: 17 },
          { page: 2, start: 0, end: 5 },
        ],
        tokenEstimate: 4,
      },
    ]);
  });

  it("keeps chunks of different pages apart where pages mean something", async () => {
    const block = (page: number, text: string, kind: "paragraph" | "heading" = "paragraph"): Block => ({
      ...{ kind, level: kind === "heading" ? 2 : 0, text, continues: false },
      spans: [{ page, start: 0, end: text.length }],
    });
    const blocks = [block(1, "One.\n\n"), block(2, "Two.\n\n"), block(3, "Pump\n\n", "heading"), block(4, "Four.\n\n")];
    const texts = (paged: boolean) => {
      const chunker = createChunker({ language: "en", paged });
      return [...chunker.push(blocks), ...chunker.finish()].map((chunk) => chunk.text);
    };
    expect(texts(true)).toEqual(["One.", "Two.", "Pump\n\nFour."]);
    expect(texts(false)).toEqual(["One.\n\nTwo.\n\nPump\n\nFour."]);
  });

  it.each([
    ["Thai, which has no blanks between words", "th", "พิพิธภัณฑ์เปิดทุกวันยกเว้นวันจันทร์และปิดในเวลาสิบแปดนาฬิกา".repeat(80)],
    ["Hindi", "hi", "संग्रहालय सोमवार को छोड़कर हर दिन सुबह नौ बजे खुलता है। ".repeat(80)],
    ["German", "de", "Die Wartungsfreigabebescheinigung liegt im Schrank der Hausverwaltung. ".repeat(80)],
    ["one endless word", null, "x".repeat(30_000)],
    ["pictographs of two code units", null, "😀".repeat(9000)],
    ["a log without sentences", "en", "ERROR code=17 unit=pump state=stopped\n".repeat(400)],
  ])("keeps offsets true and sizes within bounds for %s", async (_name, language, text) => {
    const { chunks, pages } = await chunksOf([heading(1, "T"), paragraph(text), paragraph("The end.")], language);
    expect(chunks.length).toBeGreaterThan(3);
    for (const chunk of chunks) {
      expect(chunk.tokenEstimate).toBeLessThanOrEqual(chunkTokens * 1.3);
      expect(chunk.text.isWellFormed()).toBe(true);
    }
    // Nothing is lost: every character that is not blank is under some span.
    for (const page of pages) {
      const covered = new Uint8Array(page.text.length);
      for (const span of chunks.flatMap((chunk) => chunk.spans)) {
        if (span.page === page.page) covered.fill(1, span.start, span.end);
      }
      const missing = [...covered].filter((seen, i) => seen === 0 && /\S/.test(page.text[i]!));
      expect(missing).toHaveLength(0);
    }
  });

  it("splits between Thai words, not inside them", async () => {
    const word = "พิพิธภัณฑ์";
    const { chunks } = await chunksOf([paragraph(word.repeat(300))], "th");
    expect(chunks.length).toBeGreaterThan(2);
    for (const chunk of chunks) expect(chunk.text.replaceAll(word, "")).toBe("");
  });

  it("starts a section and a chunk with each slide, also below another heading", async () => {
    const slide = (number: number): LooseBlock => ({ ...heading(2, `Slide ${number}`), startsSection: true });
    const blocks = [heading(1, "talk.pptx"), slide(1), paragraph("One."), slide(2), paragraph("Two.")];
    const { chunks, pages } = await chunksOf(blocks);
    expect(chunks.map((chunk) => chunk.headingPath)).toEqual([
      ["talk.pptx", "Slide 1"],
      ["talk.pptx", "Slide 2"],
    ]);
    expect(pages.map((page) => page.text)).toEqual(["talk.pptx\n\n", "Slide 1\n\nOne.\n\n", "Slide 2\n\nTwo.\n"]);
  });

  it("lays a long document out in sections of about 8,000 characters at block boundaries", async () => {
    const { pages } = await chunksOf(Array.from({ length: 200 }, (_, i) => paragraph(sentences(4, `item ${i}`))));
    expect(pages.length).toBeGreaterThan(4);
    for (const page of pages) {
      expect(page.text.length).toBeLessThanOrEqual(8000);
      expect(page.text).toMatch(/^Sentence 0/);
    }
    expect(pages.map((page) => page.page)).toEqual(pages.map((_, i) => i + 1));
  });
});
