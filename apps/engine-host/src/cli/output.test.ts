import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { bytes, count, duration, Output, table } from "./output.ts";

let stdout: string;
let stderr: string;
beforeEach(() => {
  stdout = stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

/** Clears the screen, sets the window title, and answers a device query: what a hostile document may try. */
const hostile = "a\u001b[2J\u001b]0;owned\u0007b\u009b31mc\u0008\rd\te\n";

it("lets no text of a document or model steer the terminal", () => {
  const output = new Output(false);
  output.print(hostile);
  output.stream(hostile);
  output.note(hostile);
  output.status(hostile);
  output.failure({ code: "INTERNAL", message: hostile, data: {} });

  expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  expect(stdout).toContain("a[2J]0;ownedb31mc\nd\te");
});

it("prints exactly one JSON value with --json, with control characters escaped and nothing lost", () => {
  const output = new Output(true);
  output.print("not this");
  output.heading("nor this");
  output.stream("nor that");
  output.result({ text: hostile }, () => "nor this text");
  expect(JSON.parse(stdout)).toEqual({ text: hostile });

  expect(stdout.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
});

it("puts a failure on one line of stderr, or as the one value on stdout", () => {
  new Output(false).failure({ code: "NO_MODEL", message: "There is no model.\n Add one.", data: {} });
  expect([stdout, stderr]).toEqual(["", "corral: There is no model. Add one.\n"]);
  new Output(true).failure({ code: "NO_MODEL", message: "There is no model.", data: {} });
  expect(JSON.parse(stdout)).toEqual({ error: { code: "NO_MODEL", message: "There is no model.", data: {} } });
});

it("repeats no status where nobody watches", () => {
  const output = new Output(false);
  output.status("Reading 1 %", "Reading");
  output.status("Reading 2 %", "Reading");
  output.status("Indexing 1 %", "Indexing");
  expect(stderr).toBe("Reading\nIndexing\n");
});

it("writes numbers as people read them", () => {
  expect([bytes(17), bytes(1536), bytes(12 * 2 ** 30)]).toEqual(["17 bytes", "1.5 KiB", "12.0 GiB"]);
  expect([duration(87.4), duration(1534)]).toEqual(["87 ms", "1.5 s"]);
  expect([count(1, "page"), count(3, "page")]).toEqual(["1 page", "3 pages"]);
  expect(table([["a", "bb", "c"], ["aaa", "b", "c"]])).toBe("a    bb  c\naaa  b   c"); // prettier-ignore
});
