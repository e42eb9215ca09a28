import fc from "fast-check";
import { expect, test } from "vitest";
import { compileKernel } from "../../../../tools/build-kernel.ts";
import { LONGEST_ROW, VectorKernel } from "./vector-kernel.ts";
import { vectorKernelWasm } from "./vector-kernel-wasm.ts";

test("the built kernel is what its source compiles to", { timeout: 60_000 }, () => {
  expect(compileKernel().toString("base64")).toBe(vectorKernelWasm);
});

const rowsOf = (stride: number, count: number) =>
  fc.uint8Array({ minLength: stride * count, maxLength: stride * count });
const shape = fc.record({ lines: fc.integer({ min: 1, max: 9 }), count: fc.integer({ min: 1, max: 20 }) });

test("dot8 gives the dot products that plain code gives", () => {
  const cases = shape.chain(({ lines, count }) =>
    fc.record({
      stride: fc.constant(lines * 16),
      rows: rowsOf(lines * 16, count).map((bytes) => new Int8Array(bytes.buffer.slice(0))),
      query: fc.int16Array({ min: -1023, max: 1023, minLength: lines * 16, maxLength: lines * 16 }),
    }),
  );
  fc.assert(
    fc.property(cases, ({ stride, rows, query }) => {
      const count = rows.length / stride;
      const expected = Array.from({ length: count }, (_, row) =>
        query.reduce((sum, value, i) => sum + value * rows[row * stride + i]!, 0),
      );
      const kernel = new VectorKernel(rows.length);
      const address = kernel.take();
      kernel.write(address, rows);
      kernel.setQuery(query);
      expect([...kernel.dot8(address, count, stride)]).toEqual(expected);
    }),
  );
});

test("hamming counts the bits that plain code counts", () => {
  const ones = (byte: number) => byte.toString(2).replaceAll("0", "").length;
  const cases = shape.chain(({ lines, count }) =>
    fc.record({
      stride: fc.constant(lines * 16),
      rows: rowsOf(lines * 16, count),
      query: rowsOf(lines * 16, 1),
    }),
  );
  fc.assert(
    fc.property(cases, ({ stride, rows, query }) => {
      const count = rows.length / stride;
      const expected = Array.from({ length: count }, (_, row) =>
        query.reduce((sum, value, i) => sum + ones(value ^ rows[row * stride + i]!), 0),
      );
      const kernel = new VectorKernel(rows.length);
      const address = kernel.take();
      kernel.write(address, rows);
      kernel.setQueryBits(query);
      expect([...kernel.hamming(address, count, stride)]).toEqual(expected);
    }),
  );
});

test("the longest row with the largest values does not overflow", () => {
  const kernel = new VectorKernel(LONGEST_ROW);
  const address = kernel.take();
  kernel.write(address, new Int8Array(LONGEST_ROW).fill(-127));
  kernel.setQuery(new Int16Array(LONGEST_ROW).fill(1023));
  expect([...kernel.dot8(address, 1, LONGEST_ROW)]).toEqual([-127 * 1023 * LONGEST_ROW]);
  kernel.write(address, new Uint8Array(LONGEST_ROW).fill(255));
  kernel.setQueryBits(new Uint8Array(LONGEST_ROW));
  expect([...kernel.hamming(address, 1, LONGEST_ROW)]).toEqual([8 * LONGEST_ROW]);
});

test("blocks that were given back are used again", () => {
  const kernel = new VectorKernel(1 << 20);
  const blocks = [kernel.take(), kernel.take(), kernel.take()];
  const { bytes } = kernel;
  kernel.giveBack(blocks[1]!);
  expect(kernel.take()).toBe(blocks[1]);
  expect(kernel.bytes).toBe(bytes);
  kernel.write(blocks[1]!, new Uint8Array([1]));
  expect(kernel.take()).not.toBe(blocks[1]);
});
