import { expect, test } from "vitest";
import { markedPieces } from "./marked-text.tsx";

const text = "One two three four";
const shown = (spans: { page: number; start: number; end: number }[]) =>
  markedPieces(text, spans, 1)
    .map((piece) => (piece.marked ? `[${piece.text}]` : piece.text))
    .join("");

test("marks what the spans of the page cover", () => {
  expect(shown([{ page: 1, start: 4, end: 7 }])).toBe("One [two] three four");
});

test("spans of other pages are left out", () => {
  expect(shown([{ page: 2, start: 4, end: 7 }])).toBe(text);
});

test("overlapping, touching and unordered spans make one mark", () => {
  const spans = [
    { page: 1, start: 6, end: 10 },
    { page: 1, start: 4, end: 8 },
    { page: 1, start: 10, end: 13 },
  ];
  expect(shown(spans)).toBe("One [two three] four");
});

test("spans at the edges and past the end keep the text whole", () => {
  expect(shown([{ page: 1, start: 0, end: 3 }])).toBe("[One] two three four");
  expect(shown([{ page: 1, start: 14, end: 99 }])).toBe("One two three [four]");
  expect(shown([{ page: 1, start: 50, end: 99 }])).toBe(text);
  expect(shown([{ page: 1, start: 5, end: 5 }])).toBe(text);
});
