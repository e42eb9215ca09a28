import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sources } from "@corral/protocol";
import { createRetrieval } from "../retrieval/create-retrieval.ts";
import { rankEvidence, readableEvidence } from "./evidence.ts";
import { documents, questions } from "./fixtures/questions.ts";
import { samplePassage } from "./testing/sample-message.ts";
import { storeDocuments, temporaryStore } from "./testing/stored-documents.ts";

/** Every term in one of a thousand chunks. */
const evenIndex = { idf: async (terms: string[]) => terms.map(() => Math.log(1001 / 2)) };

describe("ranking sentences", () => {
  it("puts the sentence with more of the question's words first, the shorter of equals before", async () => {
    const passage = samplePassage(
      "Visitors sign the green book at the gate and wear the badge they are given. The gate closes at 18:30. It is green.",
    );
    const ranked = await rankEvidence("When does the gate close?", [passage], evenIndex);
    expect(ranked.map(({ sentence }) => sentence)).toEqual([
      "The gate closes at 18:30.",
      "Visitors sign the green book at the gate and wear the badge they are given.",
    ]);
    expect(ranked[0]!.coverage).toBe(1);
    // Its other half stands in the next sentence, which counts half.
    expect(ranked[1]!.coverage).toBeCloseTo(0.75);
  });

  it("joins the lines of a paragraph, leaves headings out and cuts endless lines", async () => {
    const passage = samplePassage(`Gate hours\n\nThe gate\ncloses early.\n\n${"gate ".repeat(300)}`, {
      headingPath: ["Gate hours"],
    });
    const ranked = await rankEvidence("gate", [passage], evenIndex);
    expect(ranked[0]!.sentence).toBe("The gate closes early.");
    expect(ranked.map(({ sentence }) => sentence)).not.toContain("Gate hours");
    expect(Math.max(...ranked.map(({ sentence }) => sentence.length))).toBeLessThanOrEqual(400);
  });

  it("finds nothing for a question made of function words", async () => {
    expect(await rankEvidence("What is it?", [samplePassage("What it is.")], evenIndex)).toEqual([]);
  });
});

describe("on documents and questions written for it", () => {
  let home: Awaited<ReturnType<typeof temporaryStore>>;
  let sources: Sources;
  beforeAll(async () => {
    home = await temporaryStore();
    sources = await storeDocuments(home.store, documents);
  });
  afterAll(() => home[Symbol.asyncDispose]());

  /** The first sentence shown, or null for a refusal, to each question of a kind. */
  async function answers(kind: (typeof questions)[number]["kind"]) {
    const retrieval = createRetrieval({ store: home.store });
    const asked = questions.filter((entry) => entry.kind === kind);
    return Promise.all(
      asked.map(async ({ question, answer }) => {
        const ranked = await rankEvidence(
          question,
          (await retrieval.search(question, sources, 20)).hits,
          home.store.index,
        );
        const sentence = readableEvidence(ranked)[0]?.sentence ?? null;
        return { right: answer !== null && (sentence?.includes(answer) ?? false), refused: sentence === null };
      }),
    );
  }
  const share = (list: boolean[]) => list.filter(Boolean).length / list.length;

  it("puts the right sentence first nine times of ten", async () => {
    expect(share((await answers("answerable")).map(({ right }) => right))).toBeGreaterThanOrEqual(0.9);
  });

  it("refuses every question about something else", async () => {
    expect(share((await answers("other topic")).map(({ refused }) => refused))).toBe(1);
  });

  it("refuses most questions about the topic that the documents leave open", async () => {
    expect(share((await answers("absent")).map(({ refused }) => refused))).toBeGreaterThanOrEqual(0.75);
  });
});
