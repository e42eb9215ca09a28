/**
 * Takes the pictures of docs/screenshots from the real program: `npm run screenshots`. Starts `corral serve` on a data directory of its
 * own, adds resources/samples, asks the first of resources/sample-questions.txt, and opens the source of the answer.
 */
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { corral as run } from "./run-corral.ts";
import { serveHost } from "./served-host.ts";

const repository = resolve(import.meta.dirname, "..");
const samples = join(repository, "resources/samples");
const target = join(repository, "docs/screenshots");
const collection = "Sample documents";
const wide = { width: 1280, height: 800 };
const narrow = { width: 390, height: 780 };
/** Pictures live in the repository for ever. Bytes. */
const sizeLimit = 250 * 1024;

mkdirSync(target, { recursive: true });
const questions = readFileSync(join(repository, "resources/sample-questions.txt"), "utf8").split("\n").filter(Boolean);

await using host = await serveHost();
const added = await run(["docs", "add", samples, "--collection", collection, "--data", host.dataDirectory, "--json"]);
if (added.code !== 0) throw new Error(`The samples could not be added:\n${added.stderr}`);
const browser = await launchBrowser();
try {
  await using app = await CorralPage.open(browser, host.url);
  const { page } = app;
  await page.setViewportSize(wide);

  await page.getByRole("button", { name: "Attach documents" }).click();
  await page.getByRole("menuitemcheckbox", { name: collection }).click();
  await page.keyboard.press("Escape");
  for (const [at, question] of questions.slice(0, 2).entries()) {
    await app.ask(question);
    await app.answers.nth(at).waitFor();
    await app.untilAnswered();
  }
  await inBothThemes(page, "chat");

  await app.lastAnswer
    .getByRole("button", { name: /^Open source/ })
    .first()
    .click();
  await untilDrawn(page);
  await inBothThemes(page, "source");
  await page.getByRole("button", { name: /^Close the source/ }).click();

  await show(page, "Documents");
  await page.getByRole("list", { name: "Documents" }).getByRole("listitem").first().waitFor();
  await inBothThemes(page, "library");
  await page.getByRole("tab", { name: "Try a search" }).click();
  await page.getByRole("searchbox", { name: "What would a question find?" }).fill(questions[0]!);
  await page.getByText(/passages? in/).waitFor();
  await inBothThemes(page, "search");

  await show(page, "Models");
  await page.getByRole("tab", { name: "What fits" }).click();
  // A machine on which every answer there is to "does it fit" is given.
  const machine = "2x RTX 4090 24GB";
  await page.getByRole("textbox", { name: "What if it were another machine?" }).fill(machine);
  await page.keyboard.press("Enter");
  await page.getByRole("grid", { name: `What if: ${machine}` }).waitFor();
  await page
    .getByRole("heading", { name: `What if: ${machine}` })
    .evaluate((heading) => heading.closest("section")?.scrollIntoView());
  await inBothThemes(page, "models");
  await page.getByRole("tab", { name: "Activity" }).click();
  await page.getByRole("img", { name: /^Tokens per second/ }).waitFor();
  await inBothThemes(page, "activity");

  await show(page, "Settings");
  await page.getByRole("tab", { name: "Other programs" }).click();
  await page.getByLabel("Example for curl").waitFor();
  await inBothThemes(page, "settings");
} finally {
  await browser.close();
}
for (const file of readdirSync(target)) {
  const { size } = statSync(join(target, file));
  if (size > sizeLimit)
    throw new Error(`docs/screenshots/${file} has ${size} bytes; at most ${sizeLimit} may be kept.`);
}

/** Wide in both schemes, and narrow in the light one. */
async function inBothThemes(page: Page, name: string): Promise<void> {
  // No pointer over anything, no tooltip.
  await page.mouse.move(0, 0);
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await take(page, `${name}-${theme}`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(narrow);
  await take(page, `${name}-narrow`);
  await page.setViewportSize(wide);
}

async function take(page: Page, name: string): Promise<void> {
  // Layout that follows the size of the window (virtual lists, the picture's box) takes a frame or two.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(target, `${name}.png`) });
  process.stderr.write(`docs/screenshots/${name}.png\n`);
}

async function show(page: Page, view: string): Promise<void> {
  await page.getByRole("navigation", { name: "Pages of the app" }).getByRole("button", { name: view }).click();
}

/** Waits for the picture of the page, where the format has one. */
async function untilDrawn(page: Page): Promise<void> {
  await page.locator("mark").first().waitFor();
  await page.waitForFunction(() => {
    const box = document.querySelector("[data-testid=mark-box]");
    return !box || [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth > 0);
  });
  await page.waitForTimeout(500);
}
