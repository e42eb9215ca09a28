import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CorralError } from "@corral/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGgufHeader } from "./gguf-header.ts";
import { ggufLimits, GgufProblem, NeedMoreBytes, parseGguf } from "./gguf-parser.ts";
import { buildGguf, ggufString, le32, le64, raw, text, tinyMetadata, tinyTensors, u32 } from "./gguf.test-builder.ts";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-gguf-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

let files = 0;
async function read(bytes: Buffer) {
  const path = join(folder, `${++files}.gguf`);
  await writeFile(path, bytes);
  return readGgufHeader(path);
}

async function refusal(bytes: Buffer): Promise<string> {
  const error: unknown = await read(bytes).catch((thrown: unknown) => thrown);
  if (!(error instanceof CorralError) || error.code !== "MODEL_FILE_INVALID") throw error;
  return (error.data as { reason: string }).reason;
}

describe("readGgufHeader", () => {
  it("describes the reader model", async () => {
    expect(await readGgufHeader(readerPath)).toEqual({
      name: "Corral Reader 5M",
      purpose: "generate",
      shape: {
        architecture: "llama",
        parameters: 4_852_992,
        layers: 6,
        embeddingLength: 256,
        feedForwardLength: 512,
        heads: 8,
        keyValueHeads: 4,
        keyLength: 32,
        valueLength: 32,
        vocabularySize: 5120,
        trainContextSize: 1024,
      },
      quantization: "Q8_0",
      fileBytes: 5_331_104,
      weightsBytes: 5_166_080,
      inputBytes: 1_392_640,
      outputBytes: 1024,
      layerBytes: Array<number>(6).fill(628_736),
      isTied: true,
      hasChatTemplate: true,
    });
  });

  it("describes a small file, versions 2 and 3", async () => {
    for (const version of [2, 3]) {
      expect(await read(buildGguf({ version }))).toMatchObject({
        name: "Tiny",
        quantization: "F32",
        weightsBytes: 46_592,
        isTied: true,
        hasChatTemplate: false,
        shape: { layers: 2, keyValueHeads: 1, keyLength: 32, vocabularySize: 100 },
      });
    }
  });

  it("names the commonest tensor type when the file declares none", async () => {
    const metadata = tinyMetadata();
    delete metadata["general.file_type"];
    expect((await read(buildGguf({ metadata }))).quantization).toBe("F32");
  });

  it("reads per-layer settings by their largest value", async () => {
    const heads = Buffer.concat([le32(4), le64(2), le32(1), le32(2)]);
    const metadata = { ...tinyMetadata(), "llama.attention.head_count_kv": raw(9, heads) };
    expect((await read(buildGguf({ metadata }))).shape.keyValueHeads).toBe(2);
  });

  it("tells an empty, a missing and an unreadable file apart", async () => {
    await expect(read(Buffer.alloc(0))).rejects.toMatchObject({ code: "EMPTY_FILE" });
    await expect(readGgufHeader(join(folder, "none.gguf"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(readGgufHeader(folder)).rejects.toMatchObject({ code: "MODEL_FILE_INVALID" });
  });

  it.skipIf(process.platform === "win32")("does not wait for a pipe", async () => {
    const pipe = join(folder, "pipe.gguf");
    execFileSync("mkfifo", [pipe]);
    await expect(readGgufHeader(pipe)).rejects.toMatchObject({ code: "MODEL_FILE_INVALID" });
  });

  it("stops when cancelled", async () => {
    await expect(readGgufHeader(readerPath, AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("damaged and hostile files", () => {
  it.each([
    ["4 bytes GGUF", Buffer.from("GGUF"), "it ends inside the version"],
    [
      "2^60 keys in 24 bytes",
      Buffer.concat([Buffer.from("GGUF"), le32(3), le64(0), le64(2n ** 60n)]),
      "metadata entries",
    ],
    ["2^60 tensors in 24 bytes", Buffer.concat([Buffer.from("GGUF"), le32(3), le64(2n ** 60n), le64(0)]), "tensors"],
    ["2^64-1 keys", buildGguf({ keyCount: 2n ** 64n - 1n }), "metadata entries"],
    ["more keys than the file can hold", buildGguf({ keyCount: 60_000n }), "more than the file can hold"],
    ["a web page", Buffer.from("\n<!DOCTYPE html><html><body>404</body></html>"), "is a web page (HTML)"],
    ["another format", Buffer.from("PK\u0003\u0004 some zip file"), "does not begin with GGUF"],
    ["version 1", buildGguf({ version: 1 }), "version 1"],
    ["big-endian", buildGguf({ version: 0x03000000 }), "big-endian"],
    ["a key of 3 GiB", raw24(le64(3 * 2 ** 30)), "longer than 65535 bytes"],
    ["an array of 2^60", withValue(raw(9, Buffer.concat([le32(4), le64(2n ** 60n)]))), "claims"],
    ["an array of arrays", withValue(raw(9, Buffer.concat([le32(9), le64(1)]))), "array of arrays"],
    ["a string of 2^62 bytes", withValue(raw(8, le64(2n ** 62n))), "cut short"],
    ["an unknown value type", withValue(raw(13, Buffer.alloc(8))), "unknown type (13)"],
    ["a huge chat template", withTemplate(ggufLimits.chatTemplateBytes + 1), "longer than 262144 bytes"],
    ["alignment 0", buildGguf({ metadata: { ...tinyMetadata(), "general.alignment": u32(0) } }), "power of two"],
    ["alignment 3", buildGguf({ metadata: { ...tinyMetadata(), "general.alignment": u32(3) } }), "power of two"],
    [
      "alignment 2^31",
      buildGguf({ metadata: { ...tinyMetadata(), "general.alignment": u32(2 ** 31) } }),
      "power of two",
    ],
    ["5 dimensions", withTensor({ dimensions: [1, 1, 1, 1, 1] }), "5 dimensions"],
    ["no dimensions", withTensor({ dimensions: [] }), "0 dimensions"],
    ["an empty dimension", withTensor({ dimensions: [64, 0] }), "empty dimension"],
    ["sizes that overflow", withTensor({ dimensions: [2n ** 40n, 2n ** 40n] }), "impossible size"],
    ["an unknown tensor type", withTensor({ type: 99 }), "unknown type (99)"],
    ["a retired tensor type", withTensor({ type: 4 }), "unknown type (4)"],
    ["rows that do not fill blocks", withTensor({ dimensions: [33], type: 8 }), "do not fill blocks"],
    ["a tensor past the end", withTensor({ offset: 1024 * 1024, bytes: 0 }), "cut short: tensor"],
    ["an unaligned tensor", withTensor({ offset: 7 }), "unaligned"],
    ["overlapping tensors", withTensor({ offset: 0 }), "overlapping"],
    ["a name twice", buildGguf({ tensors: [...tinyTensors(), ...tinyTensors().slice(0, 1)] }), "twice"],
    ["a long tensor name", withTensor({ name: "x".repeat(64) }), "longer than 63 bytes"],
    ["no weights", buildGguf({ tensors: [] }), "holds no weights"],
    ["one part of many", buildGguf({ metadata: { ...tinyMetadata(), "split.count": u32(4) } }), "does not say which"],
    ["no architecture", without("general.architecture"), "general.architecture"],
    ["no layers", without("llama.block_count"), "llama.block_count"],
    ["no vocabulary", without("tokenizer.ggml.tokens"), "no vocabulary"],
  ])("refuses %s with the reason", async (_, bytes, reason) => {
    expect(await refusal(bytes)).toContain(reason);
  });

  it("refuses a key that is there twice", async () => {
    const entry = Buffer.concat([ggufString("a.b"), le32(4), le32(1)]);
    const bytes = Buffer.concat([Buffer.from("GGUF"), le32(3), le64(0), le64(2), entry, entry, Buffer.alloc(64)]);
    expect(await refusal(bytes)).toContain('names the metadata entry "a.b" twice');
  });

  it("refuses the reader model cut at any of many places", async () => {
    const whole = await readFile(readerPath);
    const places = [
      1,
      3,
      4,
      7,
      8,
      23,
      24,
      25,
      100,
      1000,
      10_000,
      100_000,
      164_000,
      165_024,
      1_000_000,
      whole.length - 1,
    ];
    for (const place of places) {
      const reason = await refusal(whole.subarray(0, place));
      expect(reason).toMatch(place < 4 ? /does not begin with GGUF/ : /cut short|more than the file can hold/);
    }
  });

  it("never throws anything else on a header with random damage", async () => {
    const whole = buildGguf();
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below;
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(whole.subarray(0, random(10) === 0 ? random(whole.length) : whole.length));
      for (let change = 0; change <= random(4); change++)
        if (bytes.length > 0) bytes[random(Math.min(bytes.length, 3000))] = random(256);
      try {
        parseGguf(bytes, bytes.length);
      } catch (error) {
        if (!(error instanceof GgufProblem)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(5000);
  });

  it("asks for more bytes rather than guessing, and only while the file has them", () => {
    const whole = buildGguf();
    expect(() => parseGguf(whole.subarray(0, 300), whole.length)).toThrow(NeedMoreBytes);
    expect(() => parseGguf(whole.subarray(0, 300), 300)).toThrow(GgufProblem);
  });
});

describe("limits", () => {
  it("accepts a chat template of exactly the limit", async () => {
    expect((await read(withTemplate(ggufLimits.chatTemplateBytes))).hasChatTemplate).toBe(true);
  });

  it("accepts as many keys as the limit and not one more", () => {
    const file = (keys: number) => {
      const entries = Array.from({ length: keys }, (_, index) =>
        Buffer.concat([ggufString(`k${index}`), le32(7), Buffer.alloc(1)]),
      );
      return Buffer.concat([Buffer.from("GGUF"), le32(3), le64(0), le64(keys), ...entries]);
    };
    const most = file(ggufLimits.keys);
    expect(parseGguf(most, most.length).metadata.size).toBe(ggufLimits.keys);
    const tooMany = file(ggufLimits.keys + 1);
    expect(() => parseGguf(tooMany, tooMany.length)).toThrow("at most 65536");
  });
});

/** A header whose first key begins like this. */
function raw24(key: Buffer): Buffer {
  return Buffer.concat([Buffer.from("GGUF"), le32(3), le64(0), le64(1), key, Buffer.alloc(64)]);
}

function withValue(value: ReturnType<typeof raw>): Buffer {
  return buildGguf({ metadata: { "a.b": value, ...tinyMetadata() } });
}

function withTemplate(bytes: number): Buffer {
  return buildGguf({ metadata: { ...tinyMetadata(), "tokenizer.chat_template": text("x".repeat(bytes)) } });
}

function withTensor(change: Partial<ReturnType<typeof tinyTensors>[number]>): Buffer {
  const [first, second, ...rest] = tinyTensors();
  if (!first || !second) throw new Error("The tiny model has tensors.");
  return buildGguf({ tensors: [first, { ...second, ...change }, ...rest] });
}

function without(key: string): Buffer {
  const metadata = tinyMetadata();
  delete metadata[key];
  return buildGguf({ metadata });
}
