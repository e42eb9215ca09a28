import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PDFDocument, StandardFonts } from "pdf-lib";
import { corral, type Finished } from "./run-corral.ts";

const readerModel = fileURLToPath(new URL("../resources/reader-model/corral-reader-q8_0.gguf", import.meta.url));
let root: string;
let data: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "corral-e2e-"));
  data = join(root, "data");
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  const pages = [
    ["Handbook of the Northgate warehouse", "This handbook explains how the warehouse is run from day to day."],
    ["Deliveries", "Lorries are unloaded at dock seven between six and eight in the morning."],
    ["Safety", "The fire extinguishers are checked every March by the Halden company."],
  ];
  for (const lines of pages) {
    const page = pdf.addPage([595, 842]);
    lines.forEach((line, index) =>
      page.drawText(line, { x: 60, y: 760 - 30 * index, size: index === 0 ? 18 : 11, font }),
    );
  }
  writeFileSync(join(root, "handbook.pdf"), await pdf.save());
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (...args: string[]) => corral([...args, "--data", data]);
const file = (name: string) => join(root, name);

describe("the main job on the command line", () => {
  it("reads a PDF, answers from it with the page, and finds it by search", async () => {
    const added = await run("docs", "add", file("handbook.pdf"), "--collection", "c", "--json");
    expect(added.json()).toEqual({
      collection: "c",
      documents: [
        {
          file: file("handbook.pdf"),
          outcome: "added",
          id: expect.any(String) as string,
          state: "ready",
          pages: 3,
          chunks: expect.any(Number) as number,
        },
      ],
    });
    expect(added.code).toBe(0);

    const asked = await run("ask", "Who checks the fire extinguishers?", "--collection", "c", "--json");
    expect(asked.code).toBe(0);
    const answer = asked.json() as {
      answer: string;
      citations: Record<string, unknown>[];
      timings: Record<string, number>;
    };
    expect(Object.keys(answer)).toEqual(["answer", "citations", "timings"]);
    expect(answer.answer).toContain("Halden");
    expect(answer.citations[0]).toEqual({
      document: "handbook.pdf",
      page: 3,
      quote: expect.stringContaining("Halden company") as string,
      chunkId: expect.any(String) as string,
    });
    expect(answer.timings["timeToFirstTokenMs"]).toBeGreaterThan(0);
    expect(answer.timings["decodeTokensPerSecond"]).toBeGreaterThan(0);

    const found = await run("search", "lorries dock", "--collection", "C", "--json");
    expect(found.code).toBe(0);
    const { hits } = found.json() as { hits: Record<string, unknown>[] };
    expect(hits.length).toBeGreaterThan(0);
    expect(Object.keys(hits[0] ?? {})).toEqual(["document", "page", "text", "score", "legs"]);
    expect(hits[0]).toMatchObject({ document: "handbook.pdf", page: expect.any(Number) as number });
    expect(hits.some(({ text }) => String(text).includes("dock seven"))).toBe(true);
  });

  it("does not read an unchanged file again", async () => {
    const again = await run("docs", "add", file("handbook.pdf"), "--collection", "c", "--json");
    expect(again.json()).toMatchObject({ documents: [{ outcome: "unchanged", state: "ready", pages: 3 }] });
    expect(again.code).toBe(0);
  });

  it("streams for a person: the answer and its source on stdout, the rest on stderr", async () => {
    const asked = await run("ask", "Where are lorries unloaded?");
    expect(asked.code).toBe(0);
    expect(asked.stdout).toMatch(/dock seven/);
    expect(asked.stdout).toMatch(/\[1\] handbook\.pdf, page \d/);
    expect(asked.stderr).toMatch(/first token after/);
    // No escape codes where nobody watches.
    expect(asked.stdout + asked.stderr).not.toMatch(/\u001b/);
  });

  it("lists and removes documents; the file stays", async () => {
    const listed = await run("docs", "list", "--collection", "c", "--json");
    expect(listed.json()).toMatchObject({
      documents: [{ collection: "c", name: "handbook.pdf", state: "ready", pages: 3 }],
    });
    const missing = await run("docs", "remove", "handbook.pdf", "other.pdf", "--collection", "c");
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("other.pdf") as string });
    expect((await run("docs", "remove", "handbook.pdf", "--collection", "c", "--json")).json()).toMatchObject({
      removed: [{ name: "handbook.pdf" }],
    });
    expect((await run("docs", "list", "--json")).json()).toEqual({ documents: [] });
    expect(existsSync(file("handbook.pdf"))).toBe(true);
  });

  it("describes the hardware, the models and its own health", async () => {
    expect((await run("hardware", "--json")).json()).toMatchObject({
      cpu: { logicalCores: expect.any(Number) as number },
      memory: { totalBytes: expect.any(Number) as number },
    });
    expect((await run("models", "list", "--json")).json()).toMatchObject({
      models: [{ embedded: true, ability: "quote" }],
    });
    const plan = await run("models", "plan", "corral-reader", "--json");
    expect(plan.json()).toMatchObject({
      fits: true,
      reasons: expect.arrayContaining([expect.any(String)]) as string[],
    });
    const doctor = await run("doctor", "--json");
    const { checks } = doctor.json() as { checks: { id: string; status: string; detail: string }[] };
    for (const id of ["data-directory", "disk", "database", "model-file", "engine", "document-reader"]) {
      expect(checks.find((check) => check.id === id)).toMatchObject({ status: "ok" });
    }
    expect(doctor.code).toBe(0);
  });
});

describe("corral demo", () => {
  it("does the main job with the sample documents and leaves nothing behind", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("corral-demo-"));
    const shown = await corral(["demo"]);
    expect(shown.code).toBe(0);
    for (const part of [
      /Processor/,
      /Q8_0/,
      /observatory-handbook\.pdf: 4 pages/,
      /Halden company.*\[1\]/,
      /page 3/,
      /tokens\/s/,
    ]) {
      expect(shown.stdout).toMatch(part);
    }
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("corral-demo-"))).toEqual(before);

    const off = await corral(["demo", "How tall is the Eiffel Tower?", "--json"]);
    expect(off.json()).toMatchObject({ answer: "The documents don't say.", citations: [] });
  });
});

describe("bad input", () => {
  const failure = (result: Finished) => (result.json() as { error: Record<string, unknown> }).error;
  const oneSentence = /^[^\n]+[.!?]$/;

  it("to docs add: each file gets its sentence, and nothing is left behind", async () => {
    writeFileSync(file("odd.xyz"), "text");
    writeFileSync(file("empty.txt"), "");
    writeFileSync(file("corrupt.docx"), Buffer.concat([Buffer.from("PK\u0003\u0004"), Buffer.alloc(500, 7)]));
    const whole = readFileSync(file("handbook.pdf"));
    writeFileSync(file("cut.pdf"), whole.subarray(0, 300));
    const names = ["odd.xyz", "empty.txt", "corrupt.docx", "cut.pdf", "missing.pdf"];
    const added = await run("docs", "add", ...names.map(file), "--collection", "bad", "--json");
    expect(added.code).toBe(1);
    const { documents } = added.json() as { documents: { file: string; error?: { code: string; message: string } }[] };
    const codes = Object.fromEntries(documents.map((each) => [each.file.slice(root.length + 1), each.error?.code]));
    expect(codes).toEqual({
      "odd.xyz": "UNSUPPORTED_FILE_TYPE",
      "empty.txt": "EMPTY_FILE",
      "corrupt.docx": "FILE_UNREADABLE",
      "cut.pdf": "FILE_UNREADABLE",
      "missing.pdf": "FILE_NOT_FOUND",
    });
    for (const { error } of documents) expect(error?.message).toMatch(oneSentence);
    expect((await run("search", "text", "--json")).json()).toMatchObject({ hits: [], legs: ["lexical"] });
  });

  it("a question without documents, or with a collection that is not there", async () => {
    expect(failure(await run("ask", "What now?", "--json"))).toMatchObject({
      code: "NO_SOURCES",
      message: expect.stringMatching(/corral docs add/) as string,
    });
    const missing = await run("ask", "What now?", "--collection", "nowhere", "--json");
    expect(missing.code).toBe(1);
    expect(failure(missing)).toMatchObject({ code: "COLLECTION_NOT_FOUND", data: { collection: "nowhere" } });
    const spoken = await run("ask", "What now?", "--collection", "nowhere");
    expect(spoken.stdout).toBe("");
    expect(spoken.stderr).toMatch(/^corral: [^\n]+\n$/);
  });

  it("an empty and a truncated model file", async () => {
    writeFileSync(file("zero.gguf"), "");
    copyFileSync(readerModel, file("cut.gguf"));
    truncateSync(file("cut.gguf"), 1_000_000);
    const empty = await run("models", "add", file("zero.gguf"), "--json");
    expect(empty.code).toBe(1);
    expect(failure(empty)).toMatchObject({ code: "EMPTY_FILE", message: expect.stringMatching(oneSentence) as string });
    const cut = await run("ask", "What now?", "--model", file("cut.gguf"), "--json");
    expect(failure(cut)).toMatchObject({
      code: "MODEL_FILE_INVALID",
      message: expect.stringContaining("cut short") as string,
    });
    expect((await run("models", "list", "--json")).json()).toMatchObject({ models: [{ id: "corral-reader" }] });
  });

  it("a data directory that cannot be written, to any command", async () => {
    writeFileSync(file("a-file"), "");
    for (const command of [["hardware"], ["docs", "list"], ["serve"]]) {
      const refused = await corral([...command, "--data", join(root, "a-file/below"), "--json"]);
      expect(refused.code).toBe(1);
      expect(failure(refused)).toMatchObject({ code: "DATA_DIRECTORY_NOT_WRITABLE" });
    }
    const byVariable = await corral(["hardware", "--json"], { env: { CORRAL_DATA_DIR: join(root, "a-file") } });
    expect(failure(byVariable)).toMatchObject({ code: "DATA_DIRECTORY_NOT_WRITABLE" });
    const doctor = await corral(["doctor", "--data", join(root, "a-file"), "--json"]);
    expect(doctor.code).toBe(1);
    expect(doctor.json()).toMatchObject({ checks: [{ status: "failed" }] });
  });

  it("wrong use: exit code 2 and one line", async () => {
    const wrong = [
      ["frobnicate"],
      ["ask"],
      ["ask", "two", "questions"],
      ["ask", " "],
      ["search", "q", "-k", "0"],
      ["search", "q", "--frob"],
      ["docs"],
      ["docs", "add", "x.pdf"],
      ["docs", "add", "--collection", "c"],
      ["models", "plan"],
      ["serve", "--port", "99999"],
      ["serve", "--port"],
      ["host", "--ipc"],
    ];
    for (const args of wrong) {
      const result = await run(...args);
      expect([args, result.code, result.stdout]).toEqual([args, 2, ""]);
      expect(result.stderr).toMatch(/^corral: [^\n]+\n$/);
    }
    const asJson = await run("search", "--json");
    expect(asJson.code).toBe(2);
    expect(failure(asJson)).toMatchObject({ code: "INVALID_INPUT" });
    for (const args of [["--help"], ["ask", "--help"], ["serve", "--help"], ["docs", "--help"]]) {
      const help = await run(...args);
      expect([args, help.code, help.stdout.startsWith("Usage") || help.stdout.includes("Usage:")]).toEqual([
        args,
        0,
        true,
      ]);
    }
  });
});
