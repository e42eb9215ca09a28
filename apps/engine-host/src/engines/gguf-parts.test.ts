import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGgufHeader } from "./gguf-header.ts";
import { buildGguf, raw, tinyMetadata, tinyTensors, u32, type TestTensor } from "./gguf.test-builder.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-parts-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Part {
  index: number;
  count: number;
  tensors: TestTensor[];
  tensorCount?: number;
}

/** split.no and split.count are 16-bit numbers (type 2), as llama.cpp's gguf-split writes them. */
const u16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return raw(2, bytes);
};

function partFile({ index, count, tensors, tensorCount = 4 }: Part): Buffer {
  const split = { "split.no": u16(index), "split.count": u16(count), "split.tensors.count": u32(tensorCount) };
  return buildGguf({ metadata: index === 0 ? { ...tinyMetadata(), ...split } : split, tensors });
}

const number = (value: number) => String(value).padStart(5, "0");
const pathOf = (model: string, part: number, count = 3) =>
  join(folder, `${model}-${number(part)}-of-${number(count)}.gguf`);

const [embedding, first, second, norm] = tinyTensors() as [TestTensor, TestTensor, TestTensor, TestTensor];
/** The first without weights, as gguf-split makes it on request. */
const usual: Part[] = [
  { index: 0, count: 3, tensors: [] },
  { index: 1, count: 3, tensors: [embedding, first] },
  { index: 2, count: 3, tensors: [second, norm] },
];

/** @returns the path of the first part */
async function write(model: string, parts: Part[]): Promise<string> {
  for (const [index, part] of parts.entries()) await writeFile(pathOf(model, index + 1), partFile(part));
  return pathOf(model, 1);
}

const changed = (index: number, change: Partial<Part>) =>
  usual.map((part, other) => (other === index ? { ...part, ...change } : part));

describe("a model split over three files", () => {
  it("is described as if it were one", async () => {
    const path = await write("whole", usual);
    const single = join(folder, "single.gguf");
    await writeFile(single, buildGguf());
    const [split, whole] = await Promise.all([readGgufHeader(path), readGgufHeader(single)]);
    expect({ ...split, fileBytes: 0 }).toEqual({ ...whole, fileBytes: 0 });
    const bytes = usual.reduce((sum, part) => sum + partFile(part).length, 0);
    expect(split.fileBytes).toBe(bytes);
  });

  it("is asked for by its first part", async () => {
    await write("later", usual);
    await expect(readGgufHeader(pathOf("later", 2))).rejects.toMatchObject({
      code: "MODEL_FILE_INVALID",
      message: expect.stringContaining("choose the first part, later-00001-of-00003.gguf") as string,
    });
  });

  it("names the part that is missing, empty or damaged", async () => {
    const path = await write("incomplete", usual);
    await rm(pathOf("incomplete", 3));
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("Part 3 of 3 of the model is missing") as string,
    });
    await writeFile(pathOf("incomplete", 3), "");
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: "EMPTY_FILE",
      data: { file: "incomplete-00003-of-00003.gguf" },
    });
    await writeFile(pathOf("incomplete", 3), "<html>");
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: "MODEL_FILE_INVALID",
      data: { file: "incomplete-00003-of-00003.gguf" },
    });
    // A download that stopped half-way.
    await writeFile(pathOf("incomplete", 3), partFile(usual[2]!).subarray(0, -4000));
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: "MODEL_FILE_INVALID",
      data: { file: "incomplete-00003-of-00003.gguf" },
    });
  });

  it.each([
    ["a part of another place", changed(2, { index: 1 }), "part 3 says it is another one"],
    ["a part of another number of parts", changed(1, { count: 4 }), "part 2 says it is another one"],
    ["the same tensor twice", changed(2, { tensors: [second, embedding] }), "a tensor is in two of them"],
    ["a tensor too few", changed(2, { tensors: [norm] }), "has 3 tensors in its parts instead of 4"],
    ["5,000 parts", changed(0, { count: 5000 }), "impossible number of parts"],
    ["a place beyond its parts", changed(0, { index: 3 }), "does not say which"],
  ])("is refused with %s", async (what, parts, message) => {
    // Part 0 holds the metadata, whatever place it claims.
    const path = await write(what.replaceAll(/\W/g, ""), parts);
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: "MODEL_FILE_INVALID",
      message: expect.stringContaining(message) as string,
    });
  });

  it("is refused under names that llama.cpp would not find", async () => {
    const path = join(folder, "renamed.gguf");
    await writeFile(path, partFile(usual[0]!));
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: "MODEL_FILE_INVALID",
      message: expect.stringContaining("must end in -00001-of-00003.gguf") as string,
    });
  });
});
