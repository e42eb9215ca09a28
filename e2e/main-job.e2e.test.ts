import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { leasePdf } from "./lease-pdf.ts";
import { serveHost, type ServedHost } from "./served-host.ts";

/** The main job, by hand: drop a document, ask, and open the answer's source. Everything is real but the person. */
let host: ServedHost;
let browser: Browser;
let lease: string;
const lockedPdf = join(import.meta.dirname, "../apps/engine-host/src/ingestion-worker/fixtures/password-secret.pdf");

beforeAll(async () => {
  host = await serveHost();
  browser = await launchBrowser();
  lease = join(host.dataDirectory, "Lease agreement.pdf");
  writeFileSync(lease, await leasePdf());
});
afterAll(async () => {
  await browser?.close();
  await host?.[Symbol.asyncDispose]();
});

test("a dropped PDF answers a question, and the answer opens at its page with the passage marked", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await page.waitForFunction(() => window.location.hash === "");

  await page.getByText("Drop a document").waitFor();
  await corral.drop(lease);
  await corral.untilRead();
  await page.getByRole("list", { name: "Answers come from" }).getByText("Lease agreement (1)").waitFor();

  await corral.ask("How much is the monthly rent?");
  await corral.untilAnswered();
  expect(await corral.answerText()).toContain("1,450 euros");
  const chip = corral.lastAnswer.getByRole("button", { name: "Source 1: Lease agreement.pdf, page 2" });
  const card = corral.lastAnswer.getByRole("button", { name: "Open source 1: Lease agreement.pdf" });
  expect(await card.textContent()).toContain("The monthly rent is 1,450 euros");
  expect(await card.textContent()).toContain("word for word");
  expect(await corral.lastAnswer.textContent()).toMatch(/First token after .+ · \d+ tokens · .+ tok\/s/);

  await chip.click();
  const panel = page.getByRole("region", { name: /Lease agreement\.pdf/ });
  await panel.getByText("Page 2 of 3").waitFor();
  // The passage as text, for those who cannot see the picture.
  expect(await panel.locator("mark").first().textContent()).toContain("monthly rent is 1,450 euros");
  const picture = panel.getByRole("img").first();
  await picture.waitFor();
  await page.waitForFunction(() =>
    [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth > 600),
  );
  // The box lies over the first paragraph: near the top of the page, within its margins, as high as one line.
  const [frame, mark] = await Promise.all([picture.boundingBox(), panel.getByTestId("mark-box").first().boundingBox()]);
  if (!frame || !mark) throw new Error("the page picture or its mark is not to be seen");
  expect((mark.y - frame.y) / frame.height).toBeGreaterThan(0.1);
  expect((mark.y - frame.y) / frame.height).toBeLessThan(0.16);
  expect((mark.x - frame.x) / frame.width).toBeCloseTo(72 / 595, 1);
  expect(mark.height / frame.height).toBeLessThan(0.04);

  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  expect(await chip.evaluate((element) => element === document.activeElement)).toBe(true);
  corral.expectNoComplaints();
});

test("the conversation is there after a reload, with its answer and its sources", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  await corral.conversations.getByRole("button", { name: "How much is the monthly rent?", exact: true }).click();
  await corral.lastAnswer.waitFor();
  await corral.page.reload();
  await corral.lastAnswer.getByRole("button", { name: /Open source 1/ }).waitFor();
  expect(await corral.answerText()).toContain("1,450 euros");
  corral.expectNoComplaints();
});

test("conversations are renamed, found by their words, and deleted", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page, conversations } = corral;
  await page.getByRole("button", { name: "Actions for “How much is the monthly rent?”" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name of the conversation" }).fill("The flat");
  await page.keyboard.press("Enter");
  await conversations.getByRole("button", { name: "The flat", exact: true }).waitFor();

  const search = page.getByRole("searchbox", { name: "Search conversations" });
  await search.fill("zebra");
  await conversations.getByText("No conversation holds “zebra”.").waitFor();
  await search.fill("1,450");
  await conversations
    .getByRole("button", { name: /The flat/ })
    .first()
    .waitFor();
  expect(await conversations.textContent()).toContain("1,450 euros");
  await search.fill("");

  await page.getByRole("button", { name: "Actions for “The flat”" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  await conversations.getByRole("button", { name: "The flat", exact: true }).waitFor();
  await page.getByRole("button", { name: "Actions for “The flat”" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await conversations.getByText("Your conversations will be listed here.").waitFor();
  corral.expectNoComplaints();
});

test("files that cannot be read each say why, and the good one beside them is answered from", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page, files } = corral;
  await page.getByText("Drop a document").waitFor();
  const content = (path: string) => readFileSync(path).toString("base64");
  await corral.dropContents([
    { name: "lease.pdf", content: content(lease) },
    { name: "empty.pdf", content: "" },
    { name: "tool.exe", content: "TVo=" },
    { name: "locked.pdf", content: content(lockedPdf) },
  ]);
  for (const bad of ["empty.pdf", "tool.exe", "locked.pdf"]) {
    const sentence = files.getByRole("alert").filter({ hasText: bad });
    await sentence.waitFor();
    expect(await sentence.textContent()).toMatch(/^.{20,}\.$/);
  }
  expect(await files.getByRole("alert").filter({ hasText: "locked.pdf" }).textContent()).toContain("password");
  await page.getByRole("list", { name: "Answers come from" }).getByText("lease (", { exact: false }).waitFor();
  await files.filter({ hasText: "tool.exe" }).getByRole("button", { name: "Dismiss" }).click();
  await files.filter({ hasText: "tool.exe" }).waitFor({ state: "detached" });

  await corral.ask("How much is the monthly rent?");
  await corral.untilAnswered();
  expect(await corral.answerText()).toContain("1,450 euros");
  corral.expectNoComplaints();
});

test("a dropped folder brings the documents below it", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  await corral.page.getByText("Drop a document").waitFor();
  const folder = join(host.dataDirectory, "Dropped folder");
  mkdirSync(join(folder, "inside"), { recursive: true });
  writeFileSync(join(folder, "keys.md"), "The spare key lies with the neighbour.\n");
  writeFileSync(join(folder, "inside/heating.md"), "The heating is checked every October.\n");
  writeFileSync(join(folder, ".hidden"), "");
  await corral.dropFromDisk(folder);
  const sources = corral.page.getByRole("list", { name: "Answers come from" });
  await sources.getByText("(2)").waitFor();
  corral.expectNoComplaints();
});

test("the source panel keeps the width it was given", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  const divider = page.getByRole("separator", { name: "Width of the source panel" });
  const openSource = async () => {
    await corral.conversations
      .getByRole("button", { name: "How much is the monthly rent?", exact: true })
      .first()
      .click();
    await corral.lastAnswer.getByRole("button", { name: /^Source 1/ }).click();
    return Number(await divider.getAttribute("aria-valuenow"));
  };
  const before = await openSource();
  await divider.press("ArrowRight");
  await divider.press("ArrowRight");
  const after = Number(await divider.getAttribute("aria-valuenow"));
  expect(after).toBeLessThan(before);
  await page.reload();
  expect(await openSource()).toBe(after);
  corral.expectNoComplaints();
});

test("a question without documents says what the reader model needs", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  await corral.ask("What is the capital of France?");
  await corral.untilAnswered("failed");
  const reason = corral.lastAnswer.getByRole("alert");
  expect(await reason.textContent()).toMatch(/document/i);
  await corral.page.getByRole("button", { name: "Send" }).waitFor();
  corral.expectNoComplaints();
});

test("the theme is switched by hand and kept", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  await page.getByRole("button", { name: /^Theme/ }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  expect(await scheme()).toBe("dark");
  await page.reload();
  await page.getByRole("button", { name: "Theme: Dark" }).waitFor();
  expect(await scheme()).toBe("dark");
  corral.expectNoComplaints();
});
