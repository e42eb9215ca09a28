import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible } from "./accessibility-check.ts";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { corral as run } from "./run-corral.ts";
import { serveHost, type ServedHost } from "./served-host.ts";

/** The screens about finding and serving, on a real host: what they do, and what axe says of them. */
let host: ServedHost;
let browser: Browser;
const collection = "The harbour";
const texts = {
  "gate.txt": "The gate closes at nine in summer and at six in winter.",
  "rope.txt": "The rope is made of hemp and forty metres long.",
  "boat.txt": "The boat shed has a red door. Its gate is never closed in winter.",
};

beforeAll(async () => {
  host = await serveHost();
  const folder = join(host.dataDirectory, "texts");
  mkdirSync(folder);
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const added = await run(["docs", "add", folder, "--collection", collection, "--data", host.dataDirectory, "--json"]);
  expect(added.code, added.stderr).toBe(0);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await host?.[Symbol.asyncDispose]();
});

const show = (page: Page, view: string) =>
  page.getByRole("navigation", { name: "Pages of the app" }).getByRole("button", { name: view }).click();

async function expectBothWidths(page: Page): Promise<void> {
  for (const size of [
    { width: 390, height: 800 },
    { width: 1280, height: 800 },
  ]) {
    await page.setViewportSize(size);
    await expectAccessible(page);
    // Nothing sticks out at the side.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
  }
}

test("a search says why passages rank, obeys its syntax, and opens the source at the passage", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await show(page, "Documents");
  await page.getByText("Documents are found by words only: no embedding model is installed.").waitFor();
  await page.getByRole("tab", { name: "Try a search" }).click();
  const field = page.getByRole("searchbox", { name: "What would a question find?" });
  await field.fill("gate winter");
  await page.getByText(/^2 passages in .* ms · searched by words$/).waitFor();
  await page.getByText("Found by words only: no embedding model is installed.", { exact: true }).waitFor();
  const first = page.getByRole("main").getByRole("article").first();
  expect(await first.textContent()).toMatch(/Words\d+\.\d\d place 1Found by its words\./);

  await page.getByText("What a search can say").click();
  await page.getByRole("button", { name: "-draft" }).click();
  expect(await field.inputValue()).toBe("gate winter -draft");
  await field.fill("gate winter -boat");
  await page.getByText(/^1 passage in/).waitFor();
  await expectBothWidths(page);
  await page
    .getByRole("button", { name: /gate\.txt/ })
    .first()
    .click();
  await page.locator("mark").first().waitFor();
  corral.expectNoComplaints();
});

test("a collection is measured with questions, and the result is saved as JSON; a wrong file is refused by its line", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await show(page, "Documents");
  await page.getByRole("tab", { name: "Measure" }).click();
  const questions = [
    { _id: "q1", text: "rope of hemp" },
    { _id: "q2", text: "anchor" },
  ];
  const queries = { name: "q.jsonl", text: questions.map((each) => JSON.stringify(each)).join("\n") };
  const file = ({ name, text }: { name: string; text: string }) => ({
    name,
    mimeType: "text/plain",
    buffer: Buffer.from(text),
  });
  const judgements = page.getByLabel("Judgements (.tsv)");
  await page.getByLabel("Questions (.jsonl)").setInputFiles(file(queries));
  await judgements.setInputFiles(file({ name: "r.tsv", text: "nonsense\n" }));
  await page.getByRole("button", { name: "Measure" }).click();
  await page.getByRole("alert").getByText("r.tsv, line 1").waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();

  const header = "query-id\tcorpus-id\tscore";
  await judgements.setInputFiles(file({ name: "r.tsv", text: `${header}\nq1\trope\t1\nq2\tboat\t1\n` }));
  await page.getByRole("button", { name: "Measure" }).click();
  await page.getByText("Over 2 questions, searched by words.").waitFor();
  await page.getByText("Questions that fared worst").click();
  await page.getByText("boat (not in the first 100)").waitFor();
  await expectBothWidths(page);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as JSON" }).click(),
  ]);
  const saved = JSON.parse(readFileSync(await download.path(), "utf8")) as Record<string, unknown>;
  expect(saved).toMatchObject({ ndcg10: 50, recall5: 50, recall100: 50, queries: 2 });

  // The command line says the same, from the same implementation.
  const [q, r] = ["q.jsonl", "r.tsv"].map((name) => join(host.dataDirectory, name)) as [string, string];
  writeFileSync(q, queries.text);
  writeFileSync(r, `${header}\nq1\trope\t1\nq2\tboat\t1\n`);
  const args = ["eval", "retrieval", "--collection", collection, "--queries", q, "--qrels", r];
  const evaluated = await run([...args, "--data", host.dataDirectory, "--json"]);
  expect(evaluated.code, evaluated.stderr).toBe(0);
  const figures = evaluated.json() as Record<string, number>;
  expect(Object.keys(figures)).toEqual(["ndcg10", "recall5", "recall100", "p50Ms", "p95Ms", "queries"]);
  expect(figures).toMatchObject({ ndcg10: 50, recall5: 50, recall100: 50, queries: 2 });
  corral.expectNoComplaints();
});

test("a collection is exported to a file and imported again under another name", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await show(page, "Documents");
  await page.getByRole("button", { name: `Actions for “${collection}”` }).click();
  await page.getByRole("menuitem", { name: "Export…" }).click();
  const path = join(host.dataDirectory, "harbour.corral");
  await page.getByRole("textbox", { name: "Path of the file" }).fill(path);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await page.getByText(/with 3 documents is in .*harbour\.corral/).waitFor();
  await page.getByRole("button", { name: "Import a collection…" }).click();
  await page.getByRole("textbox", { name: "Path of the file" }).fill(path);
  await page.getByRole("textbox", { name: "Name of the collection" }).fill("Harbour copy");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("“Harbour copy” is here, with 3 documents.").waitFor();
  await page.getByRole("heading", { name: "Harbour copy" }).waitFor();
  await expectBothWidths(page);
  corral.expectNoComplaints();
});

test("settings are saved and stay; other programs get an address, a key and an example that works", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await show(page, "Settings");
  await page.getByLabel("Unload a model nobody uses after").selectOption({ label: "1 hour" });
  await page.getByRole("textbox", { name: "Requests that may wait for one model" }).fill("no number");
  expect(await page.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
  await page.getByRole("textbox", { name: "Requests that may wait for one model" }).fill("99");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved", { exact: true }).waitFor();
  await expectBothWidths(page);
  await page.reload();
  await show(page, "Settings");
  const queue = page.getByRole("textbox", { name: "Requests that may wait for one model" });
  await queue.waitFor();
  expect(await queue.inputValue()).toBe("99");

  await page.getByRole("tab", { name: "Other programs" }).click();
  const { origin, hash } = new URL(host.url);
  const key = hash.replace("#key=", "");
  await page.getByText(`${origin}/v1`, { exact: true }).waitFor();
  expect(await page.getByText(key).count()).toBe(0);
  await page.getByRole("button", { name: "Show the key" }).click();
  await page.getByText(key, { exact: true }).waitFor();
  expect(await page.getByLabel("Example for curl").textContent()).toContain(`Bearer ${key}`);
  const answer = await fetch(`${origin}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  await expectBothWidths(page);
  corral.expectNoComplaints();
});

test("activity shows what a model does; its speed is measured against the bare loop and kept", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await show(page, "Models");
  const reader = page.getByRole("article", { name: /Corral Reader/ });
  await reader.waitFor();
  if ((await reader.getAttribute("data-state")) === "unloaded")
    await reader.getByRole("button", { name: /^Load/ }).click();
  await reader.getByRole("button", { name: /^Unload/ }).waitFor();
  await page.getByRole("tab", { name: "Activity" }).click();
  const card = page.getByRole("article", { name: /Corral Reader/ });
  await card.getByText(/of \d+ busy with/).waitFor();
  await card.getByRole("img", { name: /^Tokens per second/ }).waitFor();
  await expectBothWidths(page);
  await page.getByRole("tab", { name: "Speed" }).click();
  await page.getByRole("heading", { name: "How fast models run here" }).waitFor();
  await page.getByRole("heading", { name: "Nothing was measured yet" }).waitFor();
  await expectBothWidths(page);
  await page.getByRole("button", { name: "Measure" }).click();
  const report = page.getByRole("article", { name: /Corral Reader.* · Q8_0/ });
  await report.waitFor({ timeout: 90_000 });
  expect(await report.getByRole("row", { name: /^Reading a prompt/ }).textContent()).toMatch(
    /([\d,.]+ tokens\/s){2}[\d.]+$/,
  );
  await expectBothWidths(page);
  await page.reload();
  await show(page, "Models");
  await page.getByRole("tab", { name: "Speed" }).click();
  await report.waitFor();
  corral.expectNoComplaints();
});
