import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeXlsx } from "../apps/engine-host/src/ingestion-worker/testing/office-files.ts";
import { drawText, makeScan } from "../apps/engine-host/src/ingestion/testing/scans.ts";
import { expectAccessible } from "./accessibility-check.ts";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { serveHost, type ServedHost } from "./served-host.ts";

/** Followed folders, scans and spreadsheets, by hand, over the real host. */
let host: ServedHost;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "corral-followed-"));
  mkdirSync(join(folder, "scans"));
  const page =
    "Minutes of the harbour board\n\nThe ferry leaves the old pier at seven in the morning\nand the crossing takes forty minutes.";
  writeFileSync(join(folder, "scans/minutes.pdf"), await makeScan([await drawText(page)]));
  const cell = (ref: string, text: string) => `<c r="${ref}" t="inlineStr"><is><t>${text}</t></is></c>`;
  const rows = `<row r="4">${cell("B4", "Vessel")}${cell("C4", "Berth")}</row><row r="5">${cell("B5", "Dragonfly")}${cell("C5", "Seventeen")}</row>`;
  writeFileSync(join(folder, "fleet.xlsx"), makeXlsx({ sheets: [{ name: "Ships", rows }] }));
  host = await serveHost();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await host?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const row = (page: Page, name: string) =>
  page.getByRole("list", { name: "Documents" }).getByRole("listitem").filter({ hasText: name });

async function openLibrary(): Promise<CorralPage> {
  const corral = await CorralPage.open(browser, host.url);
  const pages = corral.page.getByRole("navigation", { name: "Pages of the app" });
  await pages.getByRole("button", { name: "Documents" }).click();
  return corral;
}

/** Searches, opens the best passage and answers its panel. */
async function openBest(page: Page, query: string, document: string) {
  await page.getByRole("tab", { name: "Try a search" }).click();
  await page.getByRole("searchbox", { name: "What would a question find?" }).fill(query);
  await page
    .getByRole("button", { name: new RegExp(document.replace(".", "\\.")) })
    .first()
    .click();
  return page.getByRole("region", { name: `Source: ${document}` });
}

test("a folder is followed: its files come, and go with it", async () => {
  await using corral = await openLibrary();
  const { page } = corral;
  await page.getByRole("button", { name: "New collection" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Harbour");
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Folders and space" }).click();
  await page.getByRole("textbox", { name: "Follow a folder" }).fill(join(folder, "nowhere"));
  await page.getByRole("button", { name: "Follow", exact: true }).click();
  await page.getByText(/is not there/).waitFor();
  await page.getByRole("textbox", { name: "Follow a folder" }).fill(folder);
  await page.getByRole("button", { name: "Follow", exact: true }).click();
  await page.getByText("Following", { exact: true }).waitFor();
  await page
    .getByText(/2 documents/)
    .first()
    .waitFor();
  await expectAccessible(page);

  await page.getByRole("tab", { name: "Documents" }).click();
  for (const name of ["minutes.pdf", "fleet.xlsx"]) await row(page, name).getByText("Ready").waitFor();
  writeFileSync(join(folder, "later.txt"), "The tide table came later.");
  await row(page, "later.txt").getByText("Ready").waitFor();
  unlinkSync(join(folder, "later.txt"));
  await row(page, "later.txt").waitFor({ state: "detached" });
  corral.expectNoComplaints();
});

test("a scan opens with the passage marked on it, and its text can be selected there", async () => {
  await using corral = await openLibrary();
  const { page } = corral;
  const panel = await openBest(page, "when does the ferry leave", "minutes.pdf");
  await panel.getByRole("img", { name: /Picture of page 1/ }).waitFor();
  const mark = panel.getByTestId("mark-box").first();
  const [frame, box] = await Promise.all([panel.getByRole("img").boundingBox(), mark.boundingBox()]);
  if (!frame || !box) throw new Error("the scan or its mark is not to be seen");
  // The text was drawn from 82 points below the top of the page on, 72 from the left.
  expect((box.y - frame.y) / frame.height).toBeGreaterThan(0.07);
  expect((box.y - frame.y) / frame.height).toBeLessThan(0.16);
  expect((box.x - frame.x) / frame.width).toBeCloseTo(72 / 595, 1);

  const line = panel.getByTestId("text-layer").getByText(/ferry leaves the old pier/);
  const place = await line.boundingBox();
  if (!place) throw new Error("the text layer is not to be seen");
  expect((place.y - frame.y) / frame.height).toBeCloseTo((842 - 732 - 9) / 842, 1);
  // As wide as the words on the scan: 54 letters of this type take 270 points.
  expect(place.width / frame.width).toBeGreaterThan(0.38);
  expect(place.width / frame.width).toBeLessThan(0.5);
  await line.click({ clickCount: 3 });
  expect(await page.evaluate(() => String(window.getSelection()))).toContain("ferry leaves the old pier");
  await expectAccessible(page);
  corral.expectNoComplaints();
});

test("a spreadsheet opens at its sheet with the cells marked", async () => {
  await using corral = await openLibrary();
  const { page } = corral;
  const panel = await openBest(page, "berth of the dragonfly", "fleet.xlsx");
  await panel.getByText("Ships · Section 1 of 1").waitFor();
  expect(await panel.getByRole("columnheader").allTextContents()).toEqual(["Row", "B", "C"]);
  expect(await panel.getByRole("rowheader").allTextContents()).toEqual(["4", "5"]);
  expect(await panel.locator("td mark").allTextContents()).toContain("Seventeen");
  await expectAccessible(page);
  corral.expectNoComplaints();
});
