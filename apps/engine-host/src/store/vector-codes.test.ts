import fc from "fast-check";
import { expect, test } from "vitest";
import { bitBytes, codeBytes, encodeQuery, encodeVector, exactDot, roughDot, writeBits } from "./vector-codes.ts";
import { VectorKernel } from "./vector-kernel.ts";

const component = fc.float({ min: -1, max: 1, noNaN: true });
const pair = fc
  .integer({ min: 1, max: 200 })
  .chain((length) =>
    fc.tuple(
      fc.float32Array({ min: -1, max: 1, noNaN: true, minLength: length, maxLength: length }),
      fc.float32Array({ min: -1, max: 1, noNaN: true, minLength: length, maxLength: length }),
    ),
  );
const largest = (vector: Float32Array) => Math.max(...vector.map(Math.abs));
const sumOf = (vector: Float32Array) => vector.reduce((sum, value) => sum + Math.abs(value), 0);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test("codes keep every component to half a step of 16 bits, and its sign", () => {
  fc.assert(
    fc.property(fc.array(component, { minLength: 1, maxLength: 50 }), (values) => {
      const vector = Float32Array.from(values);
      const { scale, high, low } = encodeVector(vector);
      for (const [i, value] of vector.entries()) {
        expect(Math.abs((high[i]! * 256 + low[i]!) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
        if (Math.abs(value) > scale) expect(high[i]! < 0).toBe(value < 0);
      }
    }),
  );
});

test("dot products by the codes are off by no more than their steps", () => {
  fc.assert(
    fc.property(pair, ([query, vector]) => {
      const codes = encodeVector(vector);
      const exact = dot(query, vector);
      const step = largest(vector) / 32_512;
      expect(Math.abs(exactDot(query, codes) - exact)).toBeLessThanOrEqual(sumOf(query) * step + 1e-6);
      expect(Math.abs(roughDot(query, codes) - exact)).toBeLessThanOrEqual(sumOf(query) * 129 * step + 1e-6);
    }),
  );
});

test("the kernel's scan gives the rough dot product, but for the rounding of the query", () => {
  fc.assert(
    fc.property(pair, ([query, vector]) => {
      const stride = codeBytes(query.length);
      const kernel = new VectorKernel(stride);
      const address = kernel.take();
      const codes = encodeVector(vector);
      kernel.write(address, codes.high);
      const { scale, terms, offset } = encodeQuery(query);
      kernel.setQuery(terms);
      const scanned = (kernel.dot8(address, 1, stride)[0]! + offset) * codes.scale * scale;
      const step = largest(query) / 1023;
      expect(Math.abs(scanned - roughDot(query, codes))).toBeLessThanOrEqual(
        0.5001 * step * (sumOf(vector) + query.length * 256 * codes.scale) + 1e-6,
      );
    }),
  );
});

test("bits are the signs", () => {
  const row = new Uint8Array(bitBytes(20)).fill(255);
  writeBits(
    Int8Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? -1 : 1)),
    row,
  );
  expect([...row]).toEqual([0b01001001, 0b10010010, 0b0100, ...new Array<number>(13).fill(0)]);
});

test("a vector of zeros has codes of zero", () => {
  expect(encodeVector(new Float32Array(3))).toEqual({ scale: 1, high: new Int8Array(3), low: new Uint8Array(3) });
});
