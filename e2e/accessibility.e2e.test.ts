import { join } from "node:path";
import { writeFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { expectAccessible } from "./accessibility-check.ts";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { leasePdf } from "./lease-pdf.ts";
import { serveHost, type ServedHost } from "./served-host.ts";

/** Every screen, looked at by axe in both schemes, wide and narrow. The planner has its own test in plan.e2e.test.ts. */
let host: ServedHost;
let browser: Browser;

beforeAll(async () => {
  host = await serveHost();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await host?.[Symbol.asyncDispose]();
});

const wide = { width: 1280, height: 800 };
const narrow = { width: 390, height: 800 };
async function expectBothWidths(page: Page): Promise<void> {
  await page.setViewportSize(narrow);
  await expectAccessible(page);
  await page.setViewportSize(wide);
  await expectAccessible(page);
}
const show = (page: Page, view: string) =>
  page.getByRole("navigation", { name: "Pages of the app" }).getByRole("button", { name: view }).click();

test("chat, with and without an answer, and the source beside it", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await corral.composer.waitFor();
  await expectBothWidths(page);
  const lease = join(host.dataDirectory, "Lease agreement.pdf");
  writeFileSync(lease, await leasePdf());
  await corral.drop(lease);
  await corral.untilRead();
  await corral.ask("How much is the monthly rent?");
  await corral.untilAnswered();
  await expectBothWidths(page);
  await corral.lastAnswer
    .getByRole("button", { name: /^Open source 1/ })
    .first()
    .click();
  await page.locator("mark").first().waitFor();
  await expectBothWidths(page);
});

test("documents, their search, models and about", async () => {
  await using corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await show(page, "Documents");
  await page.getByRole("list", { name: "Documents" }).waitFor();
  await expectBothWidths(page);
  await page.getByRole("tab", { name: "Try a search" }).click();
  await page.getByRole("searchbox", { name: "What would a question find?" }).fill("monthly rent");
  await page.getByText(/passages? in .* ms/).waitFor();
  await expectBothWidths(page);
  await show(page, "Models");
  await page.getByRole("button", { name: "How it loads on this machine" }).click();
  await page.getByText("Fits", { exact: true }).waitFor();
  await expectBothWidths(page);
  await show(page, "About Corral");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await expectBothWidths(page);
});
