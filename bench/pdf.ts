import { execFileSync, type StdioOptions } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchBrowser } from "../e2e/browser.ts";
import { writeManual } from "./ingest.ts";
import { median, progress, report, round, type Table } from "./report.ts";
import { SyntheticText } from "./synthetic-text.ts";

/** Compared with, and the fonts the PDFs in Hindi and Thai are set in; none of them is part of Corral. */
const packages = ["pdfjs-dist@6.5.438", "@fontsource/noto-sans-thai@5.3.0", "@fontsource/noto-sans-devanagari@5.3.0"];
const manuals = 2;
const pagesPerManual = 300;
const paragraphs = 400;
/** Fewer PDFs of other programs tell little. */
const fewestFound = 5;

interface Parsed {
  pages: number;
  ms: number;
  peakBytes: number;
  text?: string;
}

function parse(parser: string, paths: string[], withText = false): Parsed {
  const program = join(import.meta.dirname, "pdf-text.ts");
  const env = { ...process.env, ...(withText && { TEXT: "1" }) };
  const options = {
    encoding: "utf8" as const,
    env,
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "ignore"] as StdioOptions,
  };
  return JSON.parse(execFileSync(process.execPath, [program, parser, ...paths], options)) as Parsed;
}

/** Installs what is only needed here into a folder of its own. @returns null when the registry is not reached */
function install(folder: string): string | null {
  try {
    execFileSync(
      "npm",
      ["install", "--prefix", folder, "--no-save", "--omit=optional", "--ignore-scripts", ...packages],
      {
        stdio: "ignore",
        timeout: 120_000,
      },
    );
    return join(folder, "node_modules");
  } catch {
    return null;
  }
}

/** PDFs of other programs that lie on this machine, as Debian's documentation packages bring them (octave-doc, r-doc-pdf, pari-doc). */
function foundPdfs(): string[] {
  const folders = ["/usr/share/doc", "/usr/share/R/doc", "/usr/share/pari/doc"].filter((folder) => existsSync(folder));
  const paths = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".pdf"))
      .map((name) => realpathSync(join(folder, name))),
  );
  return [...new Set(paths)];
}

interface Measured {
  pages: number;
  rate(parser: string): number;
  /** Bytes. */
  peak(parser: string): number;
}

/** Each parser reads all files in a process of its own, in turns. */
function measure(parsers: string[], paths: string[], rounds: number): Measured {
  const runs = new Map<string, Parsed[]>(parsers.map((parser) => [parser, []]));
  for (let number = 0; number < rounds; number++) {
    for (const parser of parsers) runs.get(parser)!.push(parse(parser, paths));
    progress(`  ${paths.length} files, round ${number + 1}`);
  }
  return {
    pages: runs.get("corral")![0]!.pages,
    rate: (parser) => median(runs.get(parser)!.map(({ pages, ms }) => (pages / ms) * 1000)),
    peak: (parser) => Math.max(...runs.get(parser)!.map(({ peakBytes }) => peakBytes)),
  };
}

function speedOf({ rate, peak }: Measured, parsers: string[], pdfjs: string | null): Table {
  const names: Record<string, string> = { corral: "Corral (lines, blocks, boxes)", liteparse: "liteparse alone" };
  return parsers.map((parser) => ({
    parser: names[parser] ?? "pdf.js 6.5 (text items)",
    "pages/s": round(rate(parser), 0),
    "peak MiB": round(peak(parser) / 2 ** 20, 0),
    ...(pdfjs && { "times pdf.js": round(rate(parser) / rate(pdfjs)) }),
  }));
}

/** Words of real languages: Thai from the public test collection, Hindi from the names that ICU knows. */
function textsOf(language: "hi" | "th"): string[] {
  if (language === "th") {
    const corpus = process.env["CORRAL_IR_DATA"] ?? join(import.meta.dirname, "../../shared/data/ir");
    const lines = readFileSync(join(corpus, "xquadr-th/corpus.jsonl"), "utf8").trim().split("\n");
    return lines.slice(0, paragraphs).map((line) => (JSON.parse(line) as { text: string }).text.replace(/^\ufeff/, ""));
  }
  const regions = new Intl.DisplayNames("hi", { type: "region" });
  const languages = new Intl.DisplayNames("hi", { type: "language" });
  const currencies = new Intl.DisplayNames("hi", { type: "currency" });
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const pairs = letters.flatMap((a) => letters.map((b) => a + b));
  const names = [
    ...pairs.map((code) => regions.of(code)),
    ...pairs.map((code) => languages.of(code.toLowerCase())),
    ...Intl.supportedValuesOf("currency").map((code) => currencies.of(code)),
  ].filter((name): name is string => /\p{Script=Devanagari}/u.test(name ?? ""));
  const text = new SyntheticText(97_531);
  return Array.from({ length: paragraphs }, () =>
    Array.from({ length: 40 }, () => names[text.whole(names.length)]!).join(" "),
  );
}

/** Where LibreOffice is, which writes the PDFs that the goals are about; null where it is not installed. */
function findLibreOffice(): string | null {
  const found = ["/usr/bin/soffice", "/usr/lib/libreoffice/program/soffice"].find((path) => existsSync(path));
  return process.env["CORRAL_LIBREOFFICE"] ?? found ?? null;
}

function pageOf(texts: string[], language: string, style: string): string {
  const body = texts.map((text) => `<p>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</p>`).join("\n");
  return `<html lang="${language}"><head><meta charset="utf-8"><style>${style}</style></head><body>${body}</body></html>`;
}

/** Writes a text to PDF with LibreOffice, in whatever font of the machine has its letters. */
function convert(program: string, folder: string, texts: string[], language: string): string {
  const page = join(folder, `office-${language}.html`);
  writeFileSync(page, pageOf(texts, language, "p { font-size: 12pt }"));
  const profile = `-env:UserInstallation=file://${join(folder, "office-profile")}`;
  const parameters = [profile, "--headless", "--writer", "--convert-to", "pdf", "--outdir", folder, page];
  execFileSync(program, parameters, { stdio: "ignore", timeout: 180_000 });
  return page.replace(".html", ".pdf");
}

/** Prints a text to PDF with Chromium. */
async function print(path: string, texts: string[], language: string, font: string): Promise<void> {
  const files = readdirSync(font).filter((name) => name.endsWith("-400-normal.woff2"));
  const faces = files.map((name) => {
    const data = readFileSync(join(font, name)).toString("base64");
    return `@font-face { font-family: Words; src: url(data:font/woff2;base64,${data}) }`;
  });
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setContent(pageOf(texts, language, `${faces.join("\n")} p { font: 12px Words }`));
    await page.evaluate("document.fonts.ready");
    await page.pdf({ path, format: "A4", margin: { top: "20mm", bottom: "20mm", left: "20mm", right: "20mm" } });
  } finally {
    await browser.close();
  }
}

/** Share of the words of a text that came out of its PDF, in percent. */
function wordsKept(texts: string[], found: string, language: string): number {
  const segmenter = new Intl.Segmenter(language, { granularity: "word" });
  // Words at the end of a line are cut by the line break where no blank stands between words.
  const flat = (text: string) => (language === "th" ? text.replace(/\s+/g, "") : text).normalize("NFC");
  const words = (text: string) =>
    [...segmenter.segment(flat(text))].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);
  const have = new Map<string, number>();
  for (const word of words(found)) have.set(word, (have.get(word) ?? 0) + 1);
  let kept = 0;
  const wanted = texts.flatMap((text) => words(text));
  for (const word of wanted) {
    const left = have.get(word) ?? 0;
    if (left === 0) continue;
    have.set(word, left - 1);
    kept++;
  }
  return (kept / wanted.length) * 100;
}

/** `npm run bench -- pdf [ROUNDS]`: pages per second and words kept by Corral's PDF reading, against pdf.js on the same files. */
export async function run([rounds = "3"]: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "corral-bench-pdf-"));
  try {
    progress("Installing pdf.js for comparison …");
    const modules = install(folder);
    if (!modules) progress("  the npm registry is not reached: Corral is measured alone.");
    const pdfjs = modules && join(modules, "pdfjs-dist/legacy/build/pdf.mjs");
    progress("Writing the documents …");
    const text = new SyntheticText(24_680);
    const written = Array.from({ length: manuals }, (_, index) => join(folder, `manual-${index + 1}.pdf`));
    for (const path of written) await writeManual(path, text, pagesPerManual);
    const found = foundPdfs();
    const parsers = ["corral", "liteparse", ...(pdfjs ? [pdfjs] : [])];
    const own = measure(parsers, written, Number(rounds));
    const others = found.length >= fewestFound ? measure(parsers, found, Number(rounds)) : null;
    if (!others) progress("  Too few PDFs of other programs on this machine: the goal is about those.");

    const office = findLibreOffice();
    if (!office)
      progress("  LibreOffice is not installed: words kept are told of Chromium's PDFs only, without a goal.");
    const kept: Table = [];
    const goals: Record<string, boolean> = {
      "parser process at most 700 MB": Math.max(own.peak("corral"), others?.peak("corral") ?? 0) <= 700e6,
      ...(pdfjs &&
        others && {
          "1.8 times the pages/s of pdf.js, PDFs of other programs": others.rate("corral") >= 1.8 * others.rate(pdfjs),
        }),
    };
    if (modules && pdfjs) {
      for (const [language, script, least] of [
        ["hi", "devanagari", 94],
        ["th", "thai", 93],
      ] as const) {
        progress(`Words kept in ${language} …`);
        const texts = textsOf(language);
        const files: [writer: string, path: string][] = [["Chromium", join(folder, `${language}.pdf`)]];
        await print(files[0]![1], texts, language, join(modules, `@fontsource/noto-sans-${script}/files`));
        if (office) files.push(["LibreOffice", convert(office, folder, texts, language)]);
        for (const [writer, path] of files) {
          const read = (parser: string) => wordsKept(texts, parse(parser, [path], true).text!, language);
          const [ours, theirs] = [read("corral"), read(pdfjs)];
          kept.push({ language, "written by": writer, "Corral %": round(ours, 1), "pdf.js %": round(theirs, 1) });
          if (writer === "LibreOffice") goals[`words kept in ${language}, of LibreOffice: ${least} %`] = ours >= least;
        }
      }
    }
    const tables = {
      [`Manuals of this benchmark, ${own.pages} pages`]: speedOf(own, parsers, pdfjs),
      ...(others && {
        [`${found.length} PDFs of other programs, ${others.pages} pages`]: speedOf(others, parsers, pdfjs),
      }),
      "Words kept": kept,
    };
    report("pdf", tables, goals);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
