import { describe, expect, test } from "vitest";
import { splitSentences } from "./sentences.ts";

const texts = (text: string) => splitSentences(text).map((sentence) => sentence.text);

describe("splitSentences", () => {
  test("gives each sentence with where it stands", () => {
    const text = "  The pump starts. Does it?\nYes! ";
    const sentences = splitSentences(text);
    expect(sentences.map((sentence) => sentence.text)).toEqual(["The pump starts.", "Does it?", "Yes!"]);
    for (const { text: slice, start, end } of sentences) expect(text.slice(start, end)).toBe(slice);
    expect(splitSentences(" \n\n ")).toEqual([]);
  });

  test("a line break inside a paragraph ends nothing, a blank line does", () => {
    expect(texts("The valve is\nopened by hand.\r\nThen wait\n\nClosing the valve\n \nTurn it")).toEqual([
      "The valve is\nopened by hand.",
      "Then wait",
      "Closing the valve",
      "Turn it",
    ]);
  });

  test("list items, headings and table rows stand alone", () => {
    expect(
      texts("# Care of\nClean it daily\n- with water\n- with soap\n1. Rinse. Dry it.\n2) Store\n| a | b |\n| 1 | 2 |"),
    ).toEqual([
      "# Care of",
      "Clean it daily",
      "- with water",
      "- with soap",
      "1. Rinse.",
      "Dry it.",
      "2) Store",
      "| a | b |",
      "| 1 | 2 |",
    ]);
  });

  test.each([
    ["Dr. Smith met Mr. J. R. Brown at 5 p.m. on Monday. They left.", 2],
    ["See Fig. 3 and No. 7, i.e. the pump vs. Nos. 8. It ended in 1999. Then it rained.", 3],
    ["Am 3. Oktober kam Prof. Meier, z.B. Nr. 5. Danach ging er.", 2],
    ["M. Dupont et Mme. Blanc habitent av. Foch. Ils partent.", 2],
    ["Il dott. Rossi arriva. La Sig.ra Bianchi no.", 2],
    ["A Dra. Silva chegou. O Sr. Costa (pág. 4) saiu.", 2],
    ["El Sr. García llegó. ¿Quién falta? ¡Nadie!", 3],
    ["यह एक वाक्य है। यह दूसरा वाक्य है।", 2],
    ["“Stop.” He said no more. (It was late.) All slept.", 4],
    ["Version 2.5 costs $3.50 at example.com. Fine.", 2],
  ])("%s", (text, count) => expect(texts(text)).toHaveLength(count));

  test("long Thai text is cut at blanks, short is not", () => {
    const clause = "ทีมรับของแพนเธอร์สถอดใจที่คะแนนสามร้อยแปดและได้อันดับที่หกของลีกในฤดูกาลนี้ทั้งหมดเท่านั้นเอง";
    const text = `${clause} ${clause} ${clause}`;
    expect(texts(text)).toEqual([clause, clause, clause]);
    expect(texts("สวัสดี ครับ ท่าน")).toEqual(["สวัสดี ครับ ท่าน"]);
  });

  test("hostile text costs no more than its length", () => {
    for (const text of [
      "\n".repeat(200_000),
      "a. ".repeat(60_000),
      "Ch. ".repeat(60_000),
      " ".repeat(200_000),
      "# ".repeat(100_000),
      "1.\n".repeat(60_000),
    ])
      expect(splitSentences(text).every(({ start, end }) => start < end)).toBe(true);
  });
});
