import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { leasePdf } from "./lease-pdf.ts";
import { serveHost, type ServedHost } from "./served-host.ts";

/** Collections, documents, models and the machine, by hand, over the real host. */
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

async function open(view: string): Promise<CorralPage> {
  const corral = await CorralPage.open(browser, host.url);
  await corral.page.getByRole("navigation", { name: "Pages of the app" }).getByRole("button", { name: view }).click();
  return corral;
}
const row = (page: Page, name: string) =>
  page.getByRole("list", { name: "Documents" }).getByRole("listitem").filter({ hasText: name });

test("a collection is made, and takes good files and bad ones, each with its state or reason", async () => {
  await using corral = await open("Documents");
  const { page } = corral;
  await page.getByRole("heading", { name: "No documents yet" }).waitFor();
  await page.getByRole("button", { name: "New collection" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("The flat");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "The flat" }).waitFor();
  await page.getByRole("heading", { name: "Nothing in this collection yet" }).waitFor();

  const lease = join(host.dataDirectory, "Lease.pdf");
  writeFileSync(lease, await leasePdf());
  await corral.drop(lease);
  await row(page, "Lease.pdf").getByText("Ready").waitFor();
  expect(await row(page, "Lease.pdf").textContent()).toContain("3 pages");

  const base64 = (text: string) => Buffer.from(text).toString("base64");
  await corral.dropContents([
    { name: "notes.md", content: base64("# Keys\n\nThe spare key lies with the neighbour on the second floor.\n") },
    { name: "empty.txt", content: "" },
    { name: "film.mkv", content: base64("not a document") },
    { name: "broken.docx", content: base64("this is no zip file") },
  ]);
  await row(page, "notes.md").getByText("Ready").waitFor();
  for (const bad of ["empty.txt", "film.mkv", "broken.docx"]) {
    // The state, and below it a sentence that names the file.
    await row(page, bad)
      .getByText(/^(Not added|Failed)$/)
      .waitFor();
    expect(await row(page, bad).textContent()).toMatch(/[a-z]{3,}.*\.$/);
  }
  await page.getByText(/2 of 5 ready/).waitFor();
  await row(page, "film.mkv").getByRole("button", { name: "Dismiss film.mkv" }).click();
  await row(page, "film.mkv").waitFor({ state: "detached" });
  corral.expectNoComplaints();
});

test("a search shows what a question would find, and opens it at its place", async () => {
  await using corral = await open("Documents");
  const { page } = corral;
  await page.getByRole("tab", { name: "Try a search" }).click();
  const field = page.getByRole("searchbox", { name: "What would a question find?" });
  await field.fill("Where is the spare key?");
  await page.getByText(/passages? in .* ms/).waitFor();
  const hit = page.getByRole("button", { name: /notes\.md/ });
  expect(await hit.first().textContent()).toContain("second floor");
  await hit.first().click();
  const panel = page.getByRole("region", { name: "Source: notes.md" });
  await panel.getByText("Section 1 of 1").waitFor();
  expect(await panel.locator("mark").first().textContent()).toContain("spare key");
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  await field.fill("zzzyx qqqwv");
  await page.getByRole("heading", { name: "No passage matches" }).waitFor();
  corral.expectNoComplaints();
});

test("documents are removed, collections renamed and deleted, after a question", async () => {
  await using corral = await open("Documents");
  const { page } = corral;
  await row(page, "notes.md").getByRole("button", { name: "Actions for notes.md" }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  await row(page, "notes.md").waitFor();
  await row(page, "notes.md").getByRole("button", { name: "Actions for notes.md" }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await row(page, "notes.md").waitFor({ state: "detached" });

  const actions = page.getByRole("button", { name: /^Actions for “The flat/ });
  await actions.click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("The flat in Halden");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await page.getByRole("heading", { name: "The flat in Halden" }).waitFor();
  await actions.click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No documents yet" }).waitFor();
  corral.expectNoComplaints();
});

test("a model is loaded and unloaded, its plan says what it takes, and a wrong file is refused with the reason", async () => {
  await using corral = await open("Models");
  const { page } = corral;
  const machine = page.getByRole("region", { name: "This machine" });
  await machine
    .getByText(/GiB of .* GiB free/)
    .first()
    .waitFor();

  const reader = page.getByRole("article", { name: /Corral Reader/ });
  await reader.getByText("Comes with Corral").waitFor();
  if ((await reader.getAttribute("data-state")) === "unloaded")
    await reader.getByRole("button", { name: /^Load/ }).click();
  await reader.getByRole("button", { name: /^Unload/ }).click();
  await reader.getByText("Not loaded").waitFor();
  await reader.getByRole("button", { name: /^Load/ }).click();
  await reader.getByText("Ready").waitFor();

  await reader.getByRole("button", { name: "How it loads on this machine" }).click();
  await reader.getByText("Fits", { exact: true }).waitFor();
  expect(await reader.getByRole("img").first().getAttribute("aria-label")).toMatch(/needed, .* free/);

  const broken = join(host.dataDirectory, "broken.gguf");
  writeFileSync(broken, "GGUF");
  await page.getByRole("textbox", { name: "Path of a GGUF file" }).fill(broken);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const refusal = page.getByRole("alert");
  await refusal.waitFor();
  expect(await refusal.textContent()).toContain("broken.gguf");
  corral.expectNoComplaints();
});
