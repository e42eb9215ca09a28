import { expect, it } from "vitest";
import { titleOf } from "./conversation-title.ts";

it("keeps a short question as it is, on one line", () => {
  expect(titleOf("  When does\n the gate close? ")).toBe("When does the gate close?");
});

it("cuts a long question between words and marks the cut", () => {
  const title = titleOf("What is the procedure for reporting a lost access card, and whom do I have to tell first?");
  expect(title).toBe("What is the procedure for reporting a lost access card…");
  expect(title.length).toBeLessThanOrEqual(60);
});

it("cuts a script without spaces, and never inside a character", () => {
  expect(titleOf("ประตูปิดกี่โมงในฤดูหนาว".repeat(5))).toHaveLength(60);
  const emoji = titleOf("🙂".repeat(50));
  expect(emoji.isWellFormed()).toBe(true);
  expect(emoji.length).toBeLessThanOrEqual(60);
});
