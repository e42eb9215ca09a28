import { expect, test } from "vitest";
import { DecodedPostings, PostingListWriter } from "./posting-list.ts";

function roundTrip(postings: [number, number][]): [number, number][] {
  const writer = new PostingListWriter();
  for (const [chunk, count] of postings) writer.add(chunk, count);
  expect(writer.chunks).toBe(postings.length);
  const decoded = new DecodedPostings();
  decoded.read(writer.take().slice(), postings.length);
  return Array.from({ length: decoded.length }, (_, i) => [decoded.chunks[i]!, decoded.counts[i]!]);
}

test("chunks and counts of any size come back as they were", () => {
  const postings: [number, number][] = [
    [0, 1],
    [1, 2],
    [64, 127],
    [65, 128],
    [8256, 1],
    [2_000_000, 1_000_000],
    [1_000_000_000, 3],
  ];
  expect(roundTrip(postings)).toEqual(postings);
  expect(roundTrip([])).toEqual([]);
});

test("a list of many is as small as its steps", () => {
  const writer = new PostingListWriter();
  for (let chunk = 0; chunk < 10_000; chunk++) writer.add(chunk * 3, 1);
  const list = writer.take().slice();
  // A byte each, and three bytes for each group of 128 that can be passed over.
  expect(list.length).toBeLessThan(10_000 * (1 + 5 / 128));
  const decoded = new DecodedPostings();
  decoded.read(list, 10_000);
  expect(decoded.chunks[9_999]).toBe(29_997);
});

test("a writer starts anew after its list was taken", () => {
  const writer = new PostingListWriter();
  writer.add(9, 1);
  writer.take();
  writer.add(2, 1);
  expect([...writer.take()]).toEqual([4]);
});
