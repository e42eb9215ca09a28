import { describe, expect, it } from "vitest";
import { parseByteSize } from "./byte-size.ts";

const mib = 2 ** 20;
const gib = 2 ** 30;

describe("parseByteSize", () => {
  it.each([
    ["1GiB", gib],
    ["1gb", gib],
    ["512MiB", 512 * mib],
    ["1.5G", 1.5 * gib],
    ["1073741824", gib],
    ["0", 0],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseByteSize(text, "--reserve")).toBe(bytes);
  });

  it.each(["", "much", "-1GiB", "1XB", "1e9", "9999999TB"])("refuses %j, naming the option", (text) => {
    expect(() => parseByteSize(text, "--reserve")).toThrow(/^--reserve takes bytes/);
  });
});
