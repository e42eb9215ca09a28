import { expect, test } from "vitest";
import { judgedQueries, parseJudgements, parseQueries } from "./judged-queries.ts";

const header = "query-id\tcorpus-id\tscore";

test("queries are JSON lines; what else they hold is left alone", () => {
  const content = '\uFEFF{"_id":"q1","text":"one","metadata":{}}\r\n\r\n{"_id":"q2","text":"two"}\n';
  expect(parseQueries(content, "q.jsonl")).toEqual([
    { id: "q1", text: "one" },
    { id: "q2", text: "two" },
  ]);
});

test.each([
  ["{", "line 1: it is no JSON"],
  ["[1]", "line 1: it is no JSON object"],
  ['{"_id":"a","text":"t"}\n{"text":"t"}', 'line 2: there is no "_id"'],
  ['{"_id":"a"}', 'line 1: there is no "text"'],
  ['{"_id":"a","text":"t"}\n\n{"_id":"a","text":"t"}', "line 3: the question a is there twice"],
])("a wrong queries file says which line: %s", (content, message) => {
  expect(() => parseQueries(content, "q.jsonl")).toThrow(`q.jsonl, ${message}`);
});

test("judgements are gains by query and document", () => {
  const found = parseJudgements(`${header}\nq1\td1\t1\r\nq1\td 2\t0\nq2\td1\t2\n`, "r.tsv");
  expect(found).toEqual(
    new Map([
      [
        "q1",
        new Map([
          ["d1", 1],
          ["d 2", 0],
        ]),
      ],
      ["q2", new Map([["d1", 2]])],
    ]),
  );
});

test.each([
  ["q1\td1\t1", "line 1: the columns must be query-id, corpus-id and score"],
  [`${header}\nq1 d1 1`, "line 2: there must be three columns"],
  [`${header}\nq1\td1\t1\t9`, "line 2: there must be three columns"],
  [`${header}\nq1\td1\tyes`, 'line 2: "yes" is no number'],
  [`${header}\nq1\td1\t`, 'line 2: "" is no number'],
])("a wrong judgements file says which line: %s", (content, message) => {
  expect(() => parseJudgements(content, "r.tsv")).toThrow(`r.tsv, ${message}`);
});

test("only questions with a relevant document count; strangers are told", () => {
  const queries = {
    name: "q.jsonl",
    content: ["a", "b", "c"].map((id) => JSON.stringify({ _id: id, text: `text ${id}` })).join("\n"),
  };
  const judgements = (content: string) => ({ name: "r.tsv", content: `${header}\n${content}` });
  expect(judgedQueries(queries, judgements("a\td1\t1\nb\td1\t0\nz\td1\t1\n"))).toEqual([
    { id: "a", text: "text a", gains: new Map([["d1", 1]]) },
  ]);
  expect(() => judgedQueries(queries, judgements("z\td1\t1\n"))).toThrow(/q\.jsonl .* r\.tsv.*belong together/);
});
