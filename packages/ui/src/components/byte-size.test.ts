import { expect, test } from "vitest";
import { byteSize } from "./byte-size.ts";

test.each([
  [0, "0 B"],
  [1023, "1,023 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [1024 * 1024 - 1, "1 MiB"],
  [150 * 1024 * 1024, "150 MiB"],
  [80 * 2 ** 30, "80 GiB"],
  [5000 * 2 ** 40, "5,000 TiB"],
])("%i bytes are %s", (bytes, words) => {
  expect(byteSize(bytes, "en")).toBe(words);
});

test("in the numbers of the language", () => {
  expect(byteSize(1536, "de")).toBe("1,5 KiB");
});
