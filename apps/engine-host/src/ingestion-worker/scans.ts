import type { ParsedPage } from "@llamaindex/liteparse";
import type { ReadLimits, Recognition } from "../ingestion/worker-channel.ts";
import type { Losses } from "./losses.ts";
import { isInstalled, mayBeScanned, recognisePage, scannedPages } from "./recognition.ts";

export interface ScanOptions {
  limits: Pick<ReadLimits, "recognisedPages">;
  /** Null: scanned pages stay without text. */
  recognition: Recognition | null;
  /** Hears of scanned pages that stay without text. */
  losses: Losses;
}

/** The pages of a document that are pictures of text: recognises them where it can, else remembers them. */
export class Scans {
  readonly #file: string | Buffer;
  readonly #options: ScanOptions;
  readonly #lost: { page: number; reason: string }[] = [];
  #recognised = 0;

  constructor(file: string | Buffer, options: ScanOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Puts recognised pages in place of scanned ones; answers after each one the share of them that is done. */
  async *recognise(pages: ParsedPage[]): AsyncGenerator<{ share: number; recognised: number }, void> {
    const candidates = pages.filter(mayBeScanned).map((page) => page.pageNum);
    const scanned = await scannedPages(this.#file, candidates);
    if (scanned.length === 0) return;
    const { recognition, limits } = this.#options;
    const most = limits.recognisedPages;
    if (!recognition || !(await isInstalled(recognition)))
      return this.#lose(scanned, "scanned, and there is no data for text recognition");
    const chosen = scanned.slice(0, Math.max(0, most - this.#recognised));
    this.#lose(scanned.slice(chosen.length), `scanned; only ${most} pages of one document are recognised`);
    yield { share: 0, recognised: 0 };
    let done = 0;
    const waiting = [...chosen];
    const running = new Map<number, Promise<number>>();
    const work = async (pageNum: number): Promise<number> => {
      const at = pages.findIndex((page) => page.pageNum === pageNum);
      try {
        const found = await recognisePage(this.#file, pages[at]!, recognition);
        if (found) pages[at] = { ...found, pageLabel: pages[at]!.pageLabel! };
      } catch (error) {
        console.error(error);
        this.#lose([pageNum], "scanned, and its text could not be recognised");
      }
      return pageNum;
    };
    while (waiting.length > 0 || running.size > 0) {
      while (waiting.length > 0 && running.size < Math.max(1, recognition.threads)) {
        const pageNum = waiting.shift()!;
        running.set(pageNum, work(pageNum));
      }
      running.delete(await Promise.race(running.values()));
      this.#recognised++;
      yield { share: ++done / chosen.length, recognised: 1 };
    }
  }

  /** Says which pages stay without text: neighbours with the same reason together. */
  report(): void {
    const lost = this.#lost.toSorted((a, b) => a.page - b.page);
    for (let i = 0; i < lost.length;) {
      const first = lost[i]!;
      let last = first.page;
      while (lost[++i]?.page === last + 1 && lost[i]!.reason === first.reason) last++;
      this.#options.losses.add(last === first.page ? `page ${last}` : `pages ${first.page} to ${last}`, first.reason);
    }
  }

  #lose(pages: number[], reason: string): void {
    for (const page of pages) this.#lost.push({ page, reason });
  }
}
