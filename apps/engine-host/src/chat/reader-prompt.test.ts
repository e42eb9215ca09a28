import { expect, it } from "vitest";
import { fixedReply, readerRequest, refusal } from "./reader-prompt.ts";

it("asks the reader exactly as its card says", () => {
  const request = readerRequest(
    "When does the gate close in winter?",
    [
      "Visitors sign the green book at the gate and wear the badge they are given.",
      "The gate closes at 18:30 from October to March.",
    ],
    { certain: false, maxTokens: 100 },
  );
  expect(request.messages).toEqual([
    {
      role: "system",
      text: `You are Corral, an assistant that answers questions about the user's documents. Quote the sentence that answers the question word for word and cite its passage number like [2]. If the passages do not contain the answer, say: The documents don't say.

Passages:

[1] Visitors sign the green book at the gate and wear the badge they are given.

[2] The gate closes at 18:30 from October to March.`,
    },
    { role: "user", text: "When does the gate close in winter?" },
  ]);
  expect(request.temperature).toBe(0);
  expect(request.alternatives).toEqual([
    "Visitors sign the green book at the gate and wear the badge they are given. [1]",
    "The gate closes at 18:30 from October to March. [2]",
    refusal,
  ]);
});

it("leaves no refusal where the ranker is certain, nor in scripts the reader cannot read", () => {
  const alternatives = (question: string, certain: boolean) =>
    readerRequest(question, ["ปิด 18:30"], { certain, maxTokens: 100 }).alternatives;
  expect(alternatives("À quelle heure ferme le château ?", false)).toEqual(["ปิด 18:30 [1]", refusal]);
  expect(alternatives("À quelle heure ferme le château ?", true)).toEqual(["ปิด 18:30 [1]"]);
  expect(alternatives("ประตูปิดกี่โมง", false)).toEqual(["ปิด 18:30 [1]"]);
});

it("answers greetings and questions about itself with fixed words that say what it is", () => {
  expect(fixedReply("Hello!")).toBe("Hello! Ask me a question about your documents.");
  expect(fixedReply("¿Quién eres?")).toContain("small built-in reader");
  expect(fixedReply("Who are you?")).toContain("I quote the sentence in your documents");
  expect(fixedReply("Who are you allowed to bring along?")).toBeNull();
  expect(fixedReply("Hi, when does the gate close?")).toBeNull();
});
