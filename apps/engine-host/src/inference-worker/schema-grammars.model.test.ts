import { getLlama, LlamaLogLevel, type Llama, type LlamaGrammar } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrammarSampler } from "../engines/gbnf.test-sampler.ts";
import { jsonSchemaGrammar } from "../engines/json-schema-grammar.ts";
import { supportedSchemas } from "../engines/json-schemas.test-list.ts";

/** node-llama-cpp's own test of a whole text against a grammar. */
type Tester = LlamaGrammar & { _testText(text: string): boolean };

describe("llama.cpp", () => {
  let llama: Llama;
  beforeAll(async () => {
    llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error });
  });
  afterAll(() => llama.dispose());

  it("reads the grammar of every supported schema, and allows by it what ours allows", async () => {
    for (const [name, schema] of Object.entries(supportedSchemas)) {
      const text = jsonSchemaGrammar(schema);
      const grammar = (await llama.createGrammar({ grammar: text })) as Tester;
      let seed = 11;
      const sampler = new GrammarSampler(text, () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647);
      for (let index = 0; index < 8; index++) {
        const sample = sampler.sample(8);
        expect({ name, sample, isAllowed: grammar._testText(sample) }).toEqual({ name, sample, isAllowed: true });
      }
    }
  });

  it("refuses by it what a schema does not allow", async () => {
    const refuses = async (schema: unknown, texts: string[]) => {
      const grammar = (await llama.createGrammar({ grammar: jsonSchemaGrammar(schema) })) as Tester;
      for (const text of texts)
        expect({ text, isAllowed: grammar._testText(text) }).toEqual({ text, isAllowed: false });
    };
    await refuses({ type: "integer", minimum: 10, maximum: 99 }, ["9", "100", "-10", "10.0", "010", "1e1", '"10"', ""]);
    await refuses({ type: "string", maxLength: 700 }, [JSON.stringify("x".repeat(701)), '"\u0007"', '"\\ud83d"', '"']);
    await refuses(
      {
        type: "object",
        properties: { a: { type: "null" } },
        required: ["a"],
        additionalProperties: { type: "integer" },
      },
      ["{}", '{"a":null,"a":1}', '{"a":null,"b":"x"}', '{"a":null}\n', '{"\\u0061":null}'],
    );
    await refuses({ type: "number", minimum: 0, maximum: 1 }, ["1.1", "-0.1", "1.01", "2", "1e5"]);
    await refuses({ type: "string", format: "date" }, ['"2023-02-29"', '"2100-02-29"', '"2024-04-31"', '"24-01-01"']);
  });
});
