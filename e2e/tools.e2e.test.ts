import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildGguf, tinyMetadata, u32 } from "../apps/engine-host/src/engines/gguf.test-builder.ts";
import { buildPage } from "./served-host.ts";
import { expectAccessible } from "./accessibility-check.ts";
import { launchBrowser } from "./browser.ts";
import { CorralPage } from "./corral-page.ts";
import { corral as corralCommand } from "./run-corral.ts";

/**
 * Tools as a person meets them: a real MCP server is added, a call is asked about, allowed, denied, seen again after a reload.
 * The host is real but for its engine, which does what the question says (scripted-host.test-program.ts).
 */
const repository = resolve(import.meta.dirname, "..");
const directory = mkdtempSync(join(tmpdir(), "corral-tools-"));
const notes = join(directory, "notes.txt");
let host: ChildProcess;
let url = "";
let browser: Browser;

const data = join(directory, "data");
const model = join(directory, "Tiny.gguf");

async function startHost(): Promise<void> {
  host = spawn(process.execPath, [join(import.meta.dirname, "scripted-host.test-program.ts"), data, model], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  url = (await once(host.stdout!, "data")).toString().trim();
}

beforeAll(async () => {
  buildPage();
  writeFileSync(model, buildGguf({ metadata: { ...tinyMetadata(), "llama.context_length": u32(1024) } }));
  await startHost();
  browser = await launchBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  if (host.exitCode === null) {
    host.kill("SIGTERM");
    await once(host, "exit");
  }
  rmSync(directory, { recursive: true, force: true });
});

const written = () => (existsSync(notes) ? readFileSync(notes, "utf8") : "");

/** A new chat in which the model may calculate and write notes. */
async function openChat(): Promise<CorralPage> {
  const corral = await CorralPage.open(browser, url);
  const { page } = corral;
  await corral.composer.waitFor();
  await page.getByRole("button", { name: "Conversation settings" }).click();
  await page.getByRole("switch", { name: "Calculator" }).click();
  await page.getByRole("switch", { name: /write_note/ }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  return corral;
}

test("a tool server is added, lists its tools, and an address outside has to be confirmed", async () => {
  await using corral = await CorralPage.open(browser, url);
  const { page } = corral;
  await page.getByRole("navigation", { name: "Pages of the app" }).getByRole("button", { name: "Tools" }).click();
  await page.getByRole("button", { name: "Add a tool server" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("far");
  await page.getByRole("combobox", { name: "How it is reached" }).selectOption("http");
  await page.getByRole("textbox", { name: "Address" }).fill("https://tools.example/mcp");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("switch", { name: "Send data to tools.example" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "Add a tool server" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("mail");
  await page.getByRole("textbox", { name: "Program" }).fill(process.execPath);
  const program = join(repository, "apps/engine-host/src/mcp/testing/server.test-program.ts");
  await page.getByRole("textbox", { name: "Arguments, one per line" }).fill(program);
  await page.getByRole("textbox", { name: /^Environment/ }).fill(`MCP_TEST_NOTES=${notes}`);
  await page.getByRole("button", { name: "Save" }).click();
  const card = page.getByRole("list", { name: "Tool servers" }).getByRole("listitem").first();
  await card.getByText("Ready", { exact: true }).waitFor();
  await card.getByText(/^\d+ tools$/).click();
  await card.getByText("mail__write_note").waitFor();
  await card.getByText("Only reads, says the server").waitFor();
  await expectAccessible(page);
  // A value that was entered is never shown again.
  await card.getByRole("button", { name: "Edit mail" }).click();
  expect(await page.getByRole("textbox", { name: /^Environment/ }).inputValue()).toBe("MCP_TEST_NOTES=•••");
  await page.getByRole("button", { name: "Cancel" }).click();
  corral.expectNoComplaints();
});

test("a call is shown with its arguments, runs once it is allowed by keyboard, and its result is told", async () => {
  await using corral = await openChat();
  const { page } = corral;
  await corral.ask("send buy milk");
  const card = corral.lastAnswer.locator("[data-tool-state=pending-approval]");
  await card.waitFor();
  expect(await card.getByRole("group", { name: "Arguments" }).textContent()).toBe('{\n  "text": "buy milk"\n}');
  expect(written()).toBe("");
  await page.getByText("The answer waits: may the tool mail__write_note run?").waitFor({ state: "attached" });
  await expectAccessible(page);
  await card.getByRole("button", { name: "Allow once" }).focus();
  await page.keyboard.press("Enter");
  await corral.untilAnswered();
  expect(written()).toBe("buy milk\n");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("data-tool-state"))).toBe("done");
  const done = corral.lastAnswer.locator("[data-tool-state=done]");
  await done.getByText("Result, 7 characters").click();
  await done.getByText("written").waitFor();
  expect(await corral.lastAnswer.textContent()).toMatch(/One moment\.[\s\S]*written[\s\S]*The tool says: written/u);
  await expectAccessible(page);

  // What was read now taints: nothing lasting is offered, and no is no.
  await corral.ask("send sell milk");
  const tainted = corral.lastAnswer.locator("[data-tool-state=pending-approval]");
  await tainted.getByText("It has read text from documents or tools").waitFor();
  expect(await tainted.getByRole("button", { name: "Always in this conversation" }).count()).toBe(0);
  await tainted.getByRole("button", { name: "Do not run" }).click();
  await corral.untilAnswered();
  await corral.lastAnswer.getByText("Did not run").waitFor();
  expect(written()).toBe("buy milk\n");
  corral.expectNoComplaints();
});

test("a call still waits after a reload, and stopping the answer means that it does not run", async () => {
  await using corral = await openChat();
  const { page } = corral;
  const before = written();
  await corral.ask("send nothing");
  await corral.lastAnswer.locator("[data-tool-state=pending-approval]").waitFor();
  await page.reload();
  await corral.conversations.getByText("send nothing").first().click();
  await corral.lastAnswer.locator("[data-tool-state=pending-approval]").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await corral.untilAnswered("cancelled");
  await corral.lastAnswer.locator("[data-tool-state=denied]").waitFor();
  expect(written()).toBe(before);
});

test("Corral's own tools run without asking", async () => {
  await using corral = await openChat();
  await corral.ask("count 6 * 7");
  await corral.untilAnswered();
  await corral.lastAnswer.getByText("Calculator").waitFor();
  expect(await corral.lastAnswer.textContent()).toContain("The tool says: 42");
});

test("a conversation that no longer fits asks what to leave out, and answers with what is chosen", async () => {
  await using corral = await CorralPage.open(browser, url);
  const { page } = corral;
  await corral.composer.waitFor();
  await page.getByRole("button", { name: "Conversation settings" }).click();
  await page.getByRole("combobox", { name: "When the conversation gets too long" }).selectOption("stop");
  await page.getByRole("button", { name: "Save" }).click();
  const choice = corral.lastAnswer.getByRole("button", { name: "Summarise the oldest messages" });
  for (let at = 0; at < 20 && (await choice.count()) === 0; at++) {
    await corral.ask(`talk ${at}`);
    await corral.answers.nth(at).waitFor();
    await page.waitForFunction(
      () => [...document.querySelectorAll("article[data-state]")].at(-1)?.getAttribute("data-state") !== "streaming",
    );
  }
  await expectAccessible(page);
  await choice.click();
  await corral.untilAnswered();
  await corral.lastAnswer.getByText(/represented by a summary/).waitFor();
  await corral.lastAnswer.getByText("Show the summary").click();
  await corral.lastAnswer.getByText("They talked at length.").waitFor();
  await expectAccessible(page);
});

test("a killed host leaves a call that waited as one that did not run", async () => {
  const before = written();
  {
    await using corral = await openChat();
    await corral.ask("send after the kill");
    await corral.lastAnswer.locator("[data-tool-state=pending-approval]").waitFor();
    host.kill("SIGKILL");
    await once(host, "exit");
  }
  await startHost();
  await using corral = await CorralPage.open(browser, url);
  await corral.conversations.getByText("send after the kill").first().click();
  await corral.lastAnswer.locator("[data-tool-state=denied]").waitFor();
  expect(await corral.lastAnswer.getAttribute("data-state")).toBe("interrupted");
  expect(written()).toBe(before);
});

test("the command line lists, adds and removes tool servers", async () => {
  const at = ["--data", data, "--json"];
  const listed = (await corralCommand(["tools", "list", ...at])).json() as { tools: { name: string }[] };
  expect(listed.tools.map(({ name }) => name)).toContain("mail__write_note");
  const program = join(repository, "apps/engine-host/src/mcp/testing/server.test-program.ts");
  const args = ["tools", "add", "second", "--env", "TOKEN=canary", ...at, "--", process.execPath, program];
  const added = await corralCommand(args);
  expect(added.code).toBe(0);
  expect(added.json()).toMatchObject({ server: { state: "ready", settings: { transport: { env: { TOKEN: null } } } } });
  expect(added.stdout + added.stderr).not.toContain("canary");
  const outside = await corralCommand(["tools", "add", "far", "--url", "https://tools.example/mcp", ...at]);
  expect(outside).toMatchObject({ code: 1 });
  expect(outside.stdout).toContain("OUTSIDE_ADDRESS");
  expect((await corralCommand(["tools", "add", "Wrong Name", ...at])).code).toBe(2);
  expect((await corralCommand(["tools", "remove", "second", "third", ...at])).code).toBe(1);
  expect((await corralCommand(["tools", "remove", "second", ...at])).json()).toEqual({ removed: ["second"] });
});
