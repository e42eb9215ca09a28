import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sources } from "@corral/protocol";
import { createRetrieval } from "../retrieval/create-retrieval.ts";
import type { Store } from "../store/store.ts";
import { planAnswer, type PlanInput } from "./answer-plan.ts";
import type { EarlierMessage } from "./earlier-turns.ts";
import { standsAlone } from "./standalone-question.ts";
import { ScriptedModels, type Script } from "./testing/scripted-models.ts";
import { storeDocuments, temporaryStore } from "./testing/stored-documents.ts";

const forever = new AbortController().signal;
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, maxTokens: 50, seed: null };

let home: Awaited<ReturnType<typeof temporaryStore>>;
let store: Store;
let guide: Sources;
/** Three pages of one section, each of 30 words and a word of its own. */
let section: Sources;
beforeAll(async () => {
  home = await temporaryStore();
  store = home.store;
  guide = await storeDocuments(store, [
    { name: "b.pdf", paragraphs: ["The gate closes at 18:30.", "Dogs wait outside."] },
    { name: "a.pdf", paragraphs: ["Zurich has a ferry.", "Bern has a bear park."] },
  ]);
  const filler = "and more words of the same kind ".repeat(4);
  section = await storeDocuments(store, [
    { name: "long.pdf", paragraphs: [`First lantern ${filler}`, `Second compass ${filler}`, `Third anchor ${filler}`] },
  ]);
});
afterAll(() => home[Symbol.asyncDispose]());

const saying = (text: string): Script =>
  async function* () {
    yield text;
  };

type Given = Partial<Omit<PlanInput, "settings">> & { settings: Partial<PlanInput["settings"]> };

async function plan(given: Given, models: ScriptedModels) {
  const settings = { systemPrompt: "", sampling, sources: guide, ...given.settings };
  const input: PlanInput = { question: "When does the gate close?", history: [], seed: null, ...given, settings };
  await using lease = await models.acquire(null, {});
  const retrieval = createRetrieval({ store });
  const planned = await planAnswer(input, lease, { store, retrieval, now: () => 0 }, forever);
  if (typeof planned.request === "string") throw new Error("nothing was asked");
  return { ...planned, request: planned.request };
}

const said = (role: "user" | "assistant", text: string): EarlierMessage => ({ role, text });
const earlier = [said("user", "Which towns have a ferry?"), said("assistant", "Zurich has one [1].")];

describe("documents that fit the context", () => {
  it("are read whole, in reading order, before the earlier turns, and the report says so", async () => {
    const { request, report, passages } = await plan(
      { settings: {}, history: earlier },
      new ScriptedModels(saying("")),
    );
    expect(report).toMatchObject({ mode: "whole", found: 4, included: 4, omitted: 0 });
    expect(passages.map(({ hit }) => `${hit.document} ${hit.page}`)).toEqual([
      "a.pdf 1",
      "a.pdf 2",
      "b.pdf 1",
      "b.pdf 2",
    ]);
    expect(request.messages.map(({ role }) => role)).toEqual([
      ...["system", "user", "assistant", "user", "assistant", "user"],
    ]);
    expect(request.messages[1]!.text).toContain("[3] b.pdf, page 1\nThe gate closes at 18:30.");
    expect(request.messages.at(-1)!.text).toBe("Question: When does the gate close?");
  });

  it("keep the beginning of the prompt from turn to turn, so that it is evaluated once", async () => {
    const models = new ScriptedModels(saying(""));
    const first = await plan({ settings: {}, question: "Is there a bear?" }, models);
    const second = await plan({ settings: {}, history: earlier, question: "And a ferry?" }, models);
    expect(second.request.messages.slice(0, 3)).toEqual(first.request.messages.slice(0, 3));
  });

  it("are searched where the owner wants that, and where they do not fit", async () => {
    const off = await plan({ settings: { wholeDocuments: false } }, new ScriptedModels(saying("")));
    expect(off.report?.mode).toBeUndefined();
    expect(off.passages.map(({ hit }) => hit.document)).toEqual(["b.pdf"]);
    const small = await plan({ settings: { sources: section } }, new ScriptedModels(saying(""), { contextSize: 220 }));
    expect(small.report?.mode).toBeUndefined();
  });

  it("are searched where reading them would take minutes", async () => {
    const estimate = { prefillTokensPerSecond: { low: 0.1, high: 1 } };
    const models = new ScriptedModels(saying(""), { memory: { plan: { estimate }, measured: [] } as never });
    expect((await plan({ settings: {} }, models)).report?.mode).toBeUndefined();
  });
});

describe("passages with room beside them", () => {
  const settings = () => ({ sources: section, wholeDocuments: false });

  it("are lengthened by their neighbours of the same section", async () => {
    const planned = await plan({ settings: settings(), question: "compass" }, new ScriptedModels(saying("")));
    expect(planned.report).toMatchObject({ found: 1, included: 1, widened: 1 });
    const [{ hit }] = planned.passages as [(typeof planned.passages)[0]];
    expect(hit.text).toMatch(/^First lantern[^]*Second compass[^]*Third anchor/u);
    expect(hit.spans.map(({ page }) => page)).toEqual([1, 2, 3]);
    expect(planned.request.messages.at(-1)!.text.match(/Second compass/gu)).toHaveLength(1);
  });

  it("stay as they are where there is none, and what is a passage itself is not repeated", async () => {
    const tight = new ScriptedModels(saying(""), { contextSize: 200 });
    const planned = await plan({ settings: settings(), question: "compass" }, tight);
    expect(planned.passages[0]!.hit.text).toMatch(/^Second compass/u);
    const both = await plan(
      { settings: settings(), question: "lantern compass anchor words" },
      new ScriptedModels(saying("")),
    );
    expect(both.report?.widened).toBeUndefined();
    expect(both.passages).toHaveLength(3);
  });
});

describe("a follow-up question", () => {
  const settings = { wholeDocuments: false };

  it("is made to stand alone by the model before it is searched with, and the report shows it", async () => {
    const models = new ScriptedModels(saying("Does Bern have a ferry or a bear park?\nIgnored."));
    const { report, request, passages } = await plan({ settings, history: earlier, question: "And in Bern?" }, models);
    expect(report?.query).toBe("Does Bern have a ferry or a bear park?");
    expect(passages.map(({ hit }) => hit.text)).toContain("Bern has a bear park.");
    expect(models.requests[0]!.messages.at(-1)!.text).toContain("Zurich has one");
    expect(request.messages.at(-1)!.text).toMatch(/Question: And in Bern\?$/u);
  });

  it("is searched with the question before it where that is switched off or gives nothing", async () => {
    const off = new ScriptedModels(saying("never asked"));
    const input = { history: earlier, question: "And in Bern?" };
    const planned = await plan({ ...input, settings: { ...settings, rewriteQuestions: false } }, off);
    expect(off.requests).toEqual([]);
    expect(planned.report?.query).toBe("And in Bern?\nWhich towns have a ferry?");
    const empty = await plan({ ...input, settings }, new ScriptedModels(saying("  \n")));
    expect(empty.report?.query).toBe("And in Bern?\nWhich towns have a ferry?");
  });

  it("is told by what it points at, in several languages", () => {
    expect(standsAlone("When does the north gate close in winter?")).toBe(true);
    expect(standsAlone("Wann schließt das nördliche Tor im Winter?")).toBe(true);
    for (const question of [
      "And in Zurich?",
      "How high is their annual fee?",
      "Wie hoch ist deren jährliche Gebühr?",
      "Quelle est leur cotisation annuelle ?",
      "उसका वार्षिक शुल्क कितना है?",
    ])
      expect(standsAlone(question), question).toBe(false);
  });
});
