import { describe, expect, it } from "vitest";
import { sampleMessage } from "../testing/sample-message.ts";
import { approvalOf, isTainted } from "./approval.ts";
import { calculator } from "./calculator.ts";
import type { Tool } from "./tool.ts";

const tool = (given: Partial<Tool> = {}): Tool => ({
  definition: { name: "mail__send", description: "", parameters: {} },
  server: "mail",
  harmless: false,
  bringsText: true,
  fingerprint: "first",
  run: () => Promise.reject(new Error("not run here")),
  ...given,
});
const allowed = [{ name: "mail__send", fingerprint: "first" }];

describe("a call", () => {
  it("of Corral's own tools needs no approval, whatever was read", () => {
    expect(approvalOf(calculator, { tainted: true, allowed: [] })).toBe("not-needed");
  });

  it("of an MCP tool is asked for until it is allowed for the conversation", () => {
    expect(approvalOf(tool(), { tainted: false, allowed: [] })).toBe("ask");
    expect(approvalOf(tool({ harmless: true }), { tainted: false, allowed: [] })).toBe("ask");
    expect(approvalOf(tool(), { tainted: false, allowed })).toBe("given");
  });

  it("is asked for again when the tool is another", () => {
    expect(approvalOf(tool({ fingerprint: "second" }), { tainted: false, allowed })).toBe("ask");
  });

  it("is asked for each time once text from elsewhere was read, unless it can do nothing with it", () => {
    expect(approvalOf(tool(), { tainted: true, allowed })).toBe("ask-each-time");
    expect(approvalOf(tool({ harmless: true }), { tainted: true, allowed })).toBe("given");
  });
});

describe("text from elsewhere", () => {
  const call = { ...{ id: "1", arguments: "{}", approval: "ask" as const, resultOmitted: 0, durationMs: 1 } };
  const did = (name: string, server: string | null, state: "done" | "denied" | "failed", result: string | null) =>
    sampleMessage({ steps: [{ textEnd: 0, calls: [{ ...call, name, server, state, result }] }] });
  const report = { found: 1, omitted: 0, omittedTurns: 0, summarisedTurns: 0, omittedResults: 0, omittedTokens: 0 };

  it("is in a message with passages, a search or an MCP result", () => {
    expect(isTainted([sampleMessage({ retrieval: { ...report, included: 1, budgetTokens: 9 } })])).toBe(true);
    expect(isTainted([did("search_documents", null, "done", "[1] a")])).toBe(true);
    expect(isTainted([did("mail__read", "mail", "done", "hello")])).toBe(true);
    expect(isTainted([did("mail__read", "mail", "failed", "do evil")])).toBe(true);
  });

  it("is not in plain talk, in arithmetic, or in a call that did not run", () => {
    expect(isTainted([sampleMessage({ retrieval: { ...report, included: 0, budgetTokens: 9 } })])).toBe(false);
    expect(isTainted([did("calculator", null, "done", "4")])).toBe(false);
    expect(isTainted([did("mail__send", "mail", "denied", null)])).toBe(false);
  });
});
