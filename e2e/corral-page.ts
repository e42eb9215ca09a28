import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** The page as a person meets it: what can be seen and done on it, by the names it gives to everything. */
export class CorralPage implements AsyncDisposable {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #complaints: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    // A refused script or style shows up here too: Chromium reports violations of the content security policy as errors.
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.#complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.#complaints.push(error.stack ?? error.message));
  }

  static async open(browser: Browser, url: string): Promise<CorralPage> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(30_000);
    const corral = new CorralPage(context, await context.newPage());
    await corral.page.goto(url);
    return corral;
  }

  /** Nothing was written to the console and no policy was violated since the page was opened. */
  expectNoComplaints(): void {
    expect(this.#complaints).toEqual([]);
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: "Your question" });
  }

  get answers(): Locator {
    return this.page.getByRole("article", { name: "Corral" });
  }

  get questions(): Locator {
    return this.page.getByRole("article", { name: "You" });
  }

  get lastAnswer(): Locator {
    return this.answers.last();
  }

  /** The files above the composer, by what they say. */
  get files(): Locator {
    return this.page.locator("li[data-stage]");
  }

  get conversations(): Locator {
    return this.page.getByRole("navigation", { name: "Conversations" });
  }

  /** Lets files go over the page, as from the desktop. */
  async drop(...paths: string[]): Promise<void> {
    const files = paths.map((path) => ({ name: basename(path), content: readFileSync(path).toString("base64") }));
    await this.dropContents(files);
  }

  /** @param files with their content in base64 */
  async dropContents(files: { name: string; content: string }[]): Promise<void> {
    const dataTransfer = await this.page.evaluateHandle((list) => {
      const transfer = new DataTransfer();
      for (const { name, content } of list) {
        transfer.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
      }
      return transfer;
    }, files);
    const target = this.page.getByRole("main");
    for (const type of ["dragenter", "dragover", "drop"]) await target.dispatchEvent(type, { dataTransfer });
  }

  /** Drops what lies on this machine through the browser itself, which a folder needs. */
  async dropFromDisk(path: string): Promise<void> {
    const session = await this.#context.newCDPSession(this.page);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await session.send("Input.dispatchDragEvent", { type, x: 640, y: 300, data });
    }
    await session.detach();
  }

  /** Waits until everything that was dropped can be searched. */
  async untilRead(): Promise<void> {
    await this.files.first().waitFor();
    await this.page.waitForFunction(() =>
      [...document.querySelectorAll<HTMLElement>("li[data-stage]")].every(
        ({ dataset }) => dataset["stage"] === "ready",
      ),
    );
  }

  async ask(question: string): Promise<void> {
    await this.composer.fill(question);
    await this.composer.press("Enter");
  }

  /** Waits until the last answer is in one of the states a message can end in. */
  async untilAnswered(state = "complete"): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => [...document.querySelectorAll("article[data-state]")].at(-1)?.getAttribute("data-state") === wanted,
      state,
      { timeout: 60_000 },
    );
  }

  /** Waits until the last answer has at least so many characters and is still being written. */
  async untilWriting(characters: number): Promise<void> {
    await this.page.waitForFunction(
      (least) => {
        const last = [...document.querySelectorAll("article[data-state]")].at(-1);
        return (
          last?.getAttribute("data-state") === "streaming" &&
          (last.querySelector(".prose")?.textContent.length ?? 0) >= least
        );
      },
      characters,
      { timeout: 60_000 },
    );
  }

  /** The words of the last answer. */
  async answerText(): Promise<string> {
    return (await this.lastAnswer.locator(".prose").textContent()) ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
