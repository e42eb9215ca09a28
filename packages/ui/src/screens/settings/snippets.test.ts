import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { snippets } from "./snippets.ts";

const facts = {
  address: "http://127.0.0.1:7410",
  key: "KEY",
  model: `reader+Anna's "papers" $HOME \\`,
  question: "When does the gate close?",
};

test("a shell reads the request as it is meant, whatever the collection is called", () => {
  const command = snippets.curl(facts).replace(/^curl /, "printf '%s\\0' ");
  const { stdout } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  const words = stdout.split("\0");
  expect(words[0]).toBe("http://127.0.0.1:7410/v1/chat/completions");
  expect(words).toContain("Authorization: Bearer KEY");
  expect(JSON.parse(words.at(-2)!)).toEqual({
    model: facts.model,
    messages: [{ role: "user", content: facts.question }],
  });
});

test("each library is given the base URL it expects", () => {
  expect(snippets.openai(facts)).toContain('base_url="http://127.0.0.1:7410/v1"');
  expect(snippets.anthropic(facts)).toContain('base_url="http://127.0.0.1:7410"');
  expect(snippets.openai(facts)).toContain(`model=${JSON.stringify(facts.model)}`);
});
