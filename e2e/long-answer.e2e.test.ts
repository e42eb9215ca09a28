import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { benchModel } from "../bench/make-model.ts";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { serveHost, type ServedHost } from "./served-host.ts";

/**
 * What can happen to an answer while it is written. The model has random weights and a real Llama shape, so that it
 * writes nonsense for seconds; the embedded reader is done before anybody could interrupt it.
 */
let host: ServedHost;
let browser: Browser;

beforeAll(async () => {
  host = await serveHost();
  browser = await launchBrowser();
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await page
    .getByRole("navigation", { name: "Pages of the app" })
    .getByRole("button", { name: /^Models/ })
    .click();
  await page.getByRole("textbox", { name: /path/i }).fill(benchModel("100m"));
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("bench-100m").first().waitFor();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await host?.[Symbol.asyncDispose]();
});

test("a stopped answer keeps its words; another version and an edited question keep the old ones too", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await corral.ask("Tell me something long.");
  await corral.untilWriting(200);
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await corral.untilAnswered("cancelled");
  const first = await corral.answerText();
  expect(first.length).toBeGreaterThanOrEqual(200);
  await corral.lastAnswer.getByText("You stopped this answer.").waitFor();

  await corral.lastAnswer.getByRole("button", { name: "Answer again" }).first().click();
  await corral.untilWriting(50);
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await corral.untilAnswered("cancelled");
  expect(await corral.answerText()).not.toBe(first);
  await corral.lastAnswer.getByText("2/2").waitFor();
  await corral.lastAnswer.getByRole("button", { name: "Previous version" }).click();
  await corral.lastAnswer.getByText("1/2").waitFor();
  expect(await corral.answerText()).toBe(first);

  await corral.questions.last().hover();
  await corral.questions.last().getByRole("button", { name: "Edit and ask again" }).click();
  await page.getByRole("textbox", { name: "Edit the question" }).fill("Tell me something short.");
  await page.keyboard.press("Enter");
  await corral.untilWriting(20);
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await corral.untilAnswered("cancelled");
  expect(await corral.questions.last().textContent()).toContain("Tell me something short.");
  await corral.questions.last().getByRole("button", { name: "Previous version" }).click();
  await corral.questions.last().getByText("Tell me something long.").waitFor();
  // The newest answer to that question comes with it; the first is one step further.
  await corral.lastAnswer.getByText("2/2").waitFor();
  await corral.lastAnswer.getByRole("button", { name: "Previous version" }).click();
  await corral.lastAnswer.getByText("1/2").waitFor();
  expect(await corral.answerText()).toBe(first);
  corral.expectNoComplaints();
});

test("a reload in the middle of an answer picks the running answer up", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  await corral.ask("Go on for a while.");
  await corral.untilWriting(100);
  const before = await corral.answerText();
  await corral.page.reload();
  await corral.untilWriting(before.length + 100);
  expect(await corral.answerText()).toContain(before.slice(0, 60));
  await corral.page.getByRole("button", { name: "Stop the answer" }).click();
  await corral.untilAnswered("cancelled");
  corral.expectNoComplaints();
});

test("killing the model's process costs that answer only: its words are kept, and the next question works", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  await corral.ask("Write until something happens.");
  await corral.untilWriting(100);
  const workers = host.inferenceWorkers();
  expect(workers.length).toBeGreaterThan(0);
  for (const worker of workers) process.kill(worker, "SIGKILL");
  await corral.untilAnswered("interrupted");
  expect((await corral.answerText()).length).toBeGreaterThanOrEqual(100);
  await corral.lastAnswer.getByRole("button", { name: "Try again" }).waitFor();

  await corral.ask("And now?");
  await corral.untilWriting(100);
  expect(host.inferenceWorkers()).not.toContain(workers[0]);
  await corral.page.getByRole("button", { name: "Stop the answer" }).click();
  await corral.untilAnswered("cancelled");
  corral.expectNoComplaints();
});

test("without the key, or with a wrong one, the page says where to find it; pasting the right one connects", async () => {
  const address = new URL(host.url);
  const key = new URLSearchParams(address.hash.slice(1)).get("key") ?? "";
  await using without = await CorralPage.open(browser, `${address.origin}/`);
  await without.page.getByText("This page needs its access key").waitFor();
  await without.page.getByRole("textbox", { name: "Access key" }).fill(key);
  await without.page.getByRole("button", { name: "Connect" }).click();
  await without.composer.waitFor();

  await using wrong = await CorralPage.open(browser, `${address.origin}/#key=${"A".repeat(key.length)}`);
  await wrong.page.getByText("This access key is not valid any more").waitFor();
  expect(await wrong.composer.count()).toBe(0);
});

test("a model file that is none is refused with the reason, and changes nothing", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await page
    .getByRole("navigation", { name: "Pages of the app" })
    .getByRole("button", { name: /^Models/ })
    .click();
  await page.getByRole("textbox", { name: /path/i }).fill(join(host.dataDirectory, "missing.gguf"));
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("alert").getByText("missing.gguf").waitFor();
  await page.getByText("bench-100m").first().waitFor();
  corral.expectNoComplaints();
});
