import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible } from "./accessibility-check.ts";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { serveHost, type ServedHost } from "./served-host.ts";

/** What fits, here and on a machine that is only described, worked out by the real host while sliders move. */
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

async function openPlanner(): Promise<CorralPage> {
  const corral = await CorralPage.open(browser, host.url);
  const { page } = corral;
  await page.getByRole("navigation", { name: "Pages of the app" }).getByRole("button", { name: "Models" }).click();
  await page.getByRole("tab", { name: "What fits" }).click();
  await page.getByRole("grid").waitFor();
  return corral;
}
const cell = (page: Page, model: string, tier: "BF16" | "FP8" | "INT4"): Locator =>
  page
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name: model, exact: true }) })
    .getByRole("gridcell")
    .nth(["BF16", "FP8", "INT4"].indexOf(tier));
const planCard = (page: Page) => page.getByRole("region", { name: /tier$/ });
async function planFor(page: Page, machine: string): Promise<void> {
  await page.getByRole("textbox", { name: "What if it were another machine?" }).fill(machine);
  await page.keyboard.press("Enter");
  await page.getByRole("grid", { name: `What if: ${machine}` }).waitFor();
}

test("this machine: its figures are live, and the matrix says what fits, with weights beside all that is needed", async () => {
  await using corral = await openPlanner();
  const { page } = corral;
  await page.getByRole("grid", { name: "On this machine" }).waitFor();
  const machine = page.getByRole("region", { name: "This machine" });
  await machine.getByText(/\d+\s?% busy/).waitFor();

  const largest = cell(page, "Llama 3.1 405B Instruct", "BF16");
  expect(await largest.getAttribute("data-status")).toBe("none");
  expect(await largest.getByRole("button").textContent()).toMatch(/^Does not fit756 GiB weights\d+ GiB in all$/);
  // The same for screen readers, without a pointer.
  expect(await largest.textContent()).toMatch(/GiB are missing at [\d,]+ tokens\. Weights only 756 GiB;/);
  await largest.hover();
  await page.getByRole("tooltip").getByText("Weights only 756 GiB").waitFor();
  await page.getByText(/^Recommended:/).waitFor();
  await planCard(page)
    .getByText(/^Estimate$/)
    .waitFor();
  corral.expectNoComplaints();
});

test("what if 1x H100 80GB: 8B fits whole in BF16 with the full 128K, 70B in INT4, 405B not", async () => {
  await using corral = await openPlanner();
  const { page } = corral;
  await planFor(page, "1x H100 80GB");
  const small = cell(page, "Llama 3.1 8B Instruct", "BF16");
  expect(await small.getAttribute("data-status")).toBe("full");
  await small.getByText("Fits at 128K").waitFor();
  await small.getByRole("button").click();
  const plan = planCard(page);
  await page.getByRole("heading", { name: "Llama 3.1 8B Instruct · BF16 tier" }).waitFor();
  await plan.getByText("one graphics card").waitFor();
  await plan.getByText("131,072 tokens", { exact: true }).waitFor();
  const bar = await plan.getByRole("img", { name: /H100/ }).getAttribute("aria-label");
  // The token embeddings, 1 GiB, stay in main memory.
  expect(bar).toMatch(/Weights 14 GiB, KV cache 16 GiB, Compute .*, Overhead .*, Kept free 1 GiB$/);
  const sizes = await plan.getByText(/^15 GiB/).textContent();
  expect(sizes).toBe("15 GiB (16.1 GB)");

  await cell(page, "Llama 3.3 70B Instruct", "INT4").getByText("Fits at 128K").waitFor();
  expect(await cell(page, "Llama 3.1 405B Instruct", "INT4").getAttribute("data-status")).not.toBe("full");
  corral.expectNoComplaints();
});

test("a machine that cannot be read is refused with the reason, and what was shown stays", async () => {
  await using corral = await openPlanner();
  const { page } = corral;
  await planFor(page, "2x RTX 4090 24GB");
  const field = page.getByRole("textbox", { name: "What if it were another machine?" });
  await field.fill("a big one");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").textContent()).toMatch(/[a-z]{3,}.*\.$/);
  expect(await field.getAttribute("aria-invalid")).toBe("true");
  await page.getByRole("grid", { name: "What if: 2x RTX 4090 24GB" }).waitFor();
  await page.getByRole("button", { name: "Back to this machine" }).click();
  await page.getByRole("grid", { name: "On this machine" }).waitFor();
  corral.expectNoComplaints();
});

test("sliders, preference and reserve change the plan as they move, by keyboard alone", async () => {
  await using corral = await openPlanner();
  const { page } = corral;
  await planFor(page, "1x H100 80GB");
  await cell(page, "Llama 3.1 8B Instruct", "FP8").getByRole("button").click();
  await page.getByRole("heading", { name: "Llama 3.1 8B Instruct · FP8 tier" }).waitFor();
  const plan = planCard(page);
  await plan.getByText("131,072 tokens", { exact: true }).waitFor();

  await page.getByRole("slider", { name: "Context" }).focus();
  await page.keyboard.press("Home");
  await plan.getByText("4,096 tokens", { exact: true }).waitFor();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await plan.getByText("8,192 tokens", { exact: true }).waitFor();
  await plan.getByText("1 × 8,192", { exact: true }).waitFor();

  await page.getByRole("slider", { name: "People at a time" }).focus();
  for (let more = 0; more < 3; more++) await page.keyboard.press("ArrowRight");
  await plan.getByText(/^4 × |, 3 × /).waitFor();

  await page.getByRole("combobox", { name: "Keep free on each device" }).selectOption({ label: "4 GiB" });
  await plan.getByRole("img", { name: /^H100 .* Kept free 4 GiB/ }).waitFor();
  await page.getByRole("combobox", { name: "What matters most" }).selectOption({ label: "Longest context" });
  await plan.getByText("131,072 tokens", { exact: true }).waitFor();
  corral.expectNoComplaints();
});

test("the matrix is walked with the arrow keys, and an alternative is taken and given back", async () => {
  await using corral = await openPlanner();
  const { page } = corral;
  await planFor(page, "1x H100 80GB");
  await cell(page, "Llama 3.3 70B Instruct", "BF16").getByRole("button").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Llama 3.3 70B Instruct · INT4 tier" }).waitFor();
  const plan = planCard(page);
  const alternative = plan.getByRole("button", { name: /^INT4 · IQ4_XS · q8_0 KV cache · 131,072 tokens/ });
  await alternative.focus();
  await page.keyboard.press("Enter");
  await plan.getByText("IQ4_XS", { exact: true }).waitFor();
  expect(await alternative.getAttribute("aria-pressed")).toBe("true");
  await plan.getByRole("button", { name: "Back to what Corral chose" }).click();
  await plan.getByText("Q4_K_M", { exact: true }).waitFor();
  corral.expectNoComplaints();
});

test("a loaded model shows what was predicted beside what was measured", async () => {
  await using corral = await openPlanner();
  const { page } = corral;
  await page.getByRole("tab", { name: "On this machine" }).click();
  const reader = page.getByRole("article", { name: /Corral Reader/ });
  if ((await reader.getAttribute("data-state")) === "unloaded") {
    await reader.getByRole("button", { name: /^Load/ }).click();
  }
  await reader.getByText("Ready").waitFor();
  await reader.getByRole("button", { name: "How it loads on this machine" }).click();
  const weights = reader.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "Weights" }) });
  await weights.first().waitFor();
  expect(await weights.first().textContent()).toMatch(/^Weights[\d.]+ [KM]iB[\d.]+ [KM]iB/);
  corral.expectNoComplaints();
});

test("axe finds nothing, on wide and narrow screens", async () => {
  await using corral = await openPlanner();
  const { page } = corral;
  await planFor(page, "2x RTX 4090 24GB");
  await page.getByText("The numbers").click();
  await expectAccessible(page);
  await page.setViewportSize({ width: 390, height: 800 });
  await expectAccessible(page);
  // Nothing sticks out at the side.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  corral.expectNoComplaints();
});
