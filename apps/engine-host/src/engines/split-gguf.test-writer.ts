import { readFile, writeFile } from "node:fs/promises";
import { ggufString, le32, le64 } from "./gguf.test-builder.ts";
import { parseGguf } from "./gguf-parser.ts";

const alignment = 32;
const padded = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/** As llama.cpp's gguf-split writes them: 16-bit numbers (type 2), and a 32-bit one (type 5). */
function splitEntries(index: number, count: number, tensors: number): Buffer {
  const u16 = (value: number) => Buffer.concat([le32(2), Buffer.from([value & 0xff, value >> 8])]);
  return Buffer.concat([
    ...[ggufString("split.no"), u16(index)],
    ...[ggufString("split.count"), u16(count)],
    ...[ggufString("split.tensors.count"), le32(5), le32(tensors)],
  ]);
}

/**
 * Splits a GGUF file of ours into files of about equally many tensors, metadata in the first.
 * @returns their paths, `STEM-00001-of-0000N.gguf` and so on
 */
export async function splitGguf(path: string, stem: string, count: number): Promise<string[]> {
  const file = await readFile(path);
  const { tensors, dataOffset } = parseGguf(file, file.length);
  const starts = tensors.map(({ name }) => file.indexOf(ggufString(name)));
  const metadata = file.subarray(24, starts[0]);
  // A description ends with the tensor's place, which changes; the last one is followed by padding.
  const descriptions = tensors.map(({ name }, index) => {
    const start = starts[index] ?? 0;
    const dimensions = file.readUInt32LE(start + 8 + name.length);
    return file.subarray(start, start + 8 + name.length + 4 + 8 * dimensions + 4);
  });
  const perPart = Math.ceil(tensors.length / count);
  const paths: string[] = [];
  for (let part = 0; part < count; part++) {
    const own = tensors.slice(part * perPart, (part + 1) * perPart);
    let end = 0;
    const places = own.map(({ bytes }) => {
      const place = end;
      end += padded(bytes);
      return place;
    });
    const header = Buffer.concat([
      file.subarray(0, 8),
      le64(own.length),
      le64((part === 0 ? Number(file.readBigUInt64LE(16)) : 0) + 3),
      ...(part === 0 ? [metadata] : []),
      splitEntries(part, count, tensors.length),
      ...own.flatMap((_, index) => [descriptions[part * perPart + index] ?? Buffer.alloc(0), le64(places[index] ?? 0)]),
    ]);
    const data = Buffer.alloc(end);
    for (const [index, { offset, bytes }] of own.entries()) {
      file.copy(data, places[index], dataOffset + offset, dataOffset + offset + bytes);
    }
    const name = (value: number) => String(value).padStart(5, "0");
    const target = `${stem}-${name(part + 1)}-of-${name(count)}.gguf`;
    await writeFile(target, Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length), data]));
    paths.push(target);
  }
  return paths;
}
