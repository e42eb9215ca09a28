import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { builtInTool } from "./built-in-tools.ts";
import type { EngineTool, ToolChoice } from "./engine.ts";
import { GrammarSampler } from "./gbnf.test-sampler.ts";
import { checkTools } from "./request-checks.ts";
import { callGrammar, callOrJsonGrammar, readCallStart, readWholeCallStart, tagGrammar } from "./tool-call-grammar.ts";

const tool = (name: string, parameters: Record<string, unknown>): EngineTool => ({ name, description: "", parameters });
const look = tool("look", {
  type: "object",
  properties: { where: { $ref: "#/$defs/place" }, times: { type: "integer", minimum: 1, maximum: 3 } },
  required: ["where"],
  $defs: { place: { enum: ["here", "there"] } },
});
const lookup = tool("lookup", {
  type: "object",
  properties: { word: { type: "string", maxLength: 4 } },
  required: ["word"],
});
const bare = tool("now", {});
const search = tool("brave_search", { type: "object", properties: { query: { type: "string" } }, required: ["query"] });
const code = tool("code_interpreter", { type: "object", properties: { code: { type: "string" } } });
const tools = [look, lookup, bare];

let seed = 5;
const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
const samples = (grammar: string | null, count = 40) => {
  const sampler = new GrammarSampler(grammar ?? "", random);
  return Array.from({ length: count }, () => sampler.sample());
};

const ajv = new Ajv2020({ strict: false });
/** Whether a text is a call, or a list of calls, that is valid in every way. */
function isValid(text: string): boolean {
  const read = JSON.parse(text) as unknown;
  return (Array.isArray(read) ? read : [read]).every((value) => {
    const call = value as { name: string; parameters: object };
    const called = tools.find(({ name }) => name === call.name);
    return called !== undefined && ajv.validate(called.parameters, call.parameters);
  });
}

describe("the grammar of calls", () => {
  it("allows valid calls only, and lists of them where several may be made", () => {
    const several = samples(callGrammar({ tools, isParallel: true, pythonTag: null }));
    expect(several.every(isValid)).toBe(true);
    expect(several.some((text) => text.startsWith("["))).toBe(true);
    const single = samples(callGrammar({ tools, isParallel: false, pythonTag: null }));
    expect(single.every((text) => text.startsWith("{") && isValid(text))).toBe(true);
    expect(new Set(single.map((text) => (JSON.parse(text) as { name: string }).name)).size).toBe(3);
  });

  it("completes what was begun, at whatever place", () => {
    const begun = [
      '{"name"',
      '{ "name":',
      '{"name": "',
      '{"name": "look',
      '{"name": "look"',
      '[ {"name": "loo',
      '{"type": "function", "name": "n',
      '{"type":"function"',
    ];
    for (const text of begun) {
      const start = readCallStart(text);
      if (typeof start === "string") throw new Error(`${text} begins a call.`);
      for (const rest of samples(callGrammar({ tools, isParallel: true, pythonTag: null }, start), 10)) {
        expect({ text: text + rest, isValid: isValid(text + rest) }).toEqual({ text: text + rest, isValid: true });
      }
    }
    const other = readCallStart('{"name": "other');
    expect(typeof other === "string" ? other : callGrammar({ tools, isParallel: true, pythonTag: null }, other)).toBe(
      null,
    );
  });

  it("gives built-in tools their own form, behind their token", () => {
    const forced = samples(callGrammar({ tools: [search], isParallel: true, pythonTag: 9 }), 10);
    for (const text of forced) expect(text).toMatch(/^<\[9\]>brave_search\.call\(query="(?:[^"\\]|\\["\\n])+"\)$/u);
    const tagged = samples(tagGrammar({ tools: [search, look], isParallel: false, pythonTag: 9 }));
    expect(tagged.some((text) => text.startsWith("brave_search.call("))).toBe(true);
    expect(tagged.some((text) => text.startsWith("{") && isValid(text))).toBe(true);
    // A model without the token calls them like all others.
    for (const text of samples(callGrammar({ tools: [search], isParallel: false, pythonTag: null }), 10))
      expect(JSON.parse(text)).toMatchObject({ name: "brave_search" });
  });

  it("allows either a call or JSON of a schema", () => {
    const schema = { type: "object", properties: { mood: { enum: ["good", "bad"] } }, required: ["mood"] };
    const texts = samples(callOrJsonGrammar({ tools, isParallel: false, pythonTag: null }, schema));
    const isCall = (text: string) => readWholeCallStart(text, tools) === "yes";
    expect(texts.some(isCall)).toBe(true);
    for (const text of texts) {
      if (isCall(text)) expect(isValid(text)).toBe(true);
      else expect(JSON.parse(text)).toHaveProperty("mood");
    }
  });
});

describe("what a text may turn out to be", () => {
  it("is known as soon as it can be", () => {
    expect(["", "{", '{"', "[", "[ {", '{"nam', '{"type"', '{ "type": "fun'].map(readCallStart)).toEqual(
      Array(8).fill("maybe"),
    );
    expect(
      ["x", "{}", '{"names"', "[1", '{"type": "object"', '{"name": 1', '{"name": [', "{{"].map(readCallStart),
    ).toEqual(Array(8).fill("no"));
    const whole = (text: string) => readWholeCallStart(text, tools);
    expect([whole('{"name": "look'), whole('{"name": "look", "para'), whole(' [{"name": "look"')]).toEqual(
      Array(3).fill("maybe"),
    );
    expect([whole('{"name": "other"'), whole('{"name": "look", "x"'), whole("[1")]).toEqual(Array(3).fill("no"));
    expect(whole('{ "name":"lookup" ,"parameters"')).toBe("yes");
  });
});

describe("built-in tools", () => {
  it("have the name and the one text that Llama 3.1 knows", () => {
    expect(builtInTool(search)?.argument).toBe("query");
    expect(builtInTool(code)?.argument).toBe("code");
    expect(builtInTool(look)).toBe(null);
    expect(builtInTool(tool("brave_search", {}))).toBe(null);
    expect(builtInTool(tool("brave_search", { properties: { query: { type: "string", maxLength: 3 } } }))).toBe(null);
    expect(
      builtInTool(tool("brave_search", { properties: { query: { type: "string" }, n: {} }, required: ["query", "n"] })),
    ).toBe(null);
    expect(builtInTool(tool("constructor", {}))).toBe(null);
  });
});

describe("tools that are refused, by name", () => {
  const field = (offered: EngineTool[], choice?: ToolChoice) => {
    try {
      checkTools(offered, choice, "tools");
      return null;
    } catch (error) {
      return (error as { code: string; data: { field: string } }).data.field;
    }
  };

  it("are those with no fit name, no fit parameters, or no tool to choose", () => {
    expect(field(tools)).toBe(null);
    expect(field([])).toBe(null);
    expect(field([look, tool("a b", {})])).toBe("tools/1/name");
    expect(field([tool('x"', {})])).toBe("tools/0/name");
    expect(field([tool("", {})])).toBe("tools/0/name");
    expect(field([look, look])).toBe("tools/1/name");
    expect(field([tool("t", { type: "string" })])).toBe("tools/0/parameters");
    expect(field([tool("t", { type: "object", properties: { a: { not: {} } } })])).toBe(
      "tools/0/parameters/properties/a/not",
    );
    expect(field(tools, { name: "look" })).toBe(null);
    expect(field(tools, { name: "nobody" })).toBe("tools");
    expect(field([], "required")).toBe("tools");
  });

  it("may hold what no grammar enforces when they are not strict: then any object is allowed", () => {
    const lax: EngineTool = {
      ...tool("t", { type: "object", properties: { a: { type: "array", uniqueItems: true } } }),
      strict: false,
    };
    expect(field([lax])).toBe(null);
    expect(field([{ ...lax, strict: true }])).toBe("tools/0/parameters/properties/a/uniqueItems");
    const texts = samples(callGrammar({ tools: [lax], isParallel: false, pythonTag: null }));
    for (const text of texts) expect((JSON.parse(text) as { parameters: unknown }).parameters).toBeTypeOf("object");
    expect(field([{ ...tool("t", { type: "string" }), strict: false }])).toBe(null);
  });

  it("are refused at once when there are very many", () => {
    const before = performance.now();
    expect(field(Array.from({ length: 100_000 }, (_, index) => tool(`t${index}`, {})))).toBe("tools");
    const large = {
      type: "object",
      properties: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`p${index}`, {}])),
    };
    expect(field(Array.from({ length: 128 }, (_, index) => tool(`t${index}`, large)))).toMatch(/parameters$/);
    expect(performance.now() - before).toBeLessThan(1000);
  });
});
