import { constants, copyFile, mkdir, open, readdir, rename, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { OcrLanguage } from "@corral/protocol";
import type { Recognition } from "./worker-channel.ts";

const ending = ".traineddata";
/** Data for finding out which way up a page stands, and for formulas: no languages. */
const notLanguages = new Set(["osd", "equ"]);
/** Parts that Tesseract's data may have (tessdatamanager.h knows 24). */
const mostParts = 64;

/**
 * The language data of text recognition (OCR): what ships with Corral, and what was dropped into `ocr/` of the data
 * directory. Nothing is ever fetched. All of them are used together.
 */
export class OcrLanguages {
  readonly directory: string;
  readonly #bundled: string | null;

  /** @param bundled the folder with the data that ships with Corral; null: none */
  constructor(dataDirectory: string, bundled: string | null) {
    this.directory = join(dataDirectory, "ocr");
    this.#bundled = bundled;
  }

  /** Makes the folder and puts what ships with Corral into it: Tesseract wants its languages in one place. */
  async open(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    if (this.#bundled === null) return;
    for (const name of (await readdir(this.#bundled)).filter((file) => file.endsWith(ending))) {
      const [from, to] = [join(this.#bundled, name), join(this.directory, name)];
      const present = await stat(to).catch(() => null);
      if (present && present.size === (await stat(from)).size) continue;
      // By way of another name, so that a crash leaves no half file.
      const temporary = `${to}.new`;
      await copyFile(from, temporary, constants.COPYFILE_FICLONE);
      await rename(temporary, to);
    }
  }

  /** Languages by name, damaged ones too. */
  async list(): Promise<OcrLanguage[]> {
    const languages: OcrLanguage[] = [];
    for (const file of (await readdir(this.directory).catch(() => [])).sort()) {
      const name = file.slice(0, -ending.length);
      if (!file.endsWith(ending) || !/^[A-Za-z]\w{1,40}$/.test(name) || notLanguages.has(name)) continue;
      languages.push({ name, ...(await this.#look(join(this.directory, file))) });
    }
    return languages;
  }

  /** What a worker may use; null when there is no language. */
  async recognition(readers: number): Promise<Recognition | null> {
    const usable = (await this.list()).filter((language) => language.usable).map(({ name }) => name);
    if (usable.length === 0) return null;
    // The first language counts most; who added one has documents in it.
    const languages = [...usable.filter((name) => name !== "eng"), ...usable.filter((name) => name === "eng")];
    const threads = Math.max(1, Math.min(4, Math.floor(availableParallelism() / readers)));
    return { directory: this.directory, languages, threads };
  }

  /** The file begins with the number of its parts. */
  async #look(path: string): Promise<{ bytes: number; usable: boolean }> {
    try {
      await using file = await open(path);
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
      const parts = bytesRead === 4 ? buffer.readUInt32LE() : 0;
      return { bytes: size, usable: parts > 0 && parts <= mostParts && size > 10_000 };
    } catch {
      return { bytes: 0, usable: false };
    }
  }
}
