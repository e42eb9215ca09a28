import { ROW_ALIGNMENT } from "./vector-kernel.ts";

/** The largest code of a vector, 127 * 256: its upper byte, rounded, is the int8 code that scans read. */
const LARGEST_CODE = 32_512;
/** The largest value of a query: 11 bits with the sign. */
const LARGEST_QUERY = 1023;

/** A vector in fixed point: component i is about codes[i] * scale. */
export interface VectorCodes {
  scale: number;
  codes: Int16Array;
}

/** The codes of a vector, to 16 bits of its largest component. */
export function encodeVector(vector: Float32Array): VectorCodes {
  const scale = largest(vector) / LARGEST_CODE || 1;
  return { scale, codes: Int16Array.from(vector, (value) => Math.round(value / scale)) };
}

/** Bytes of a row of int8 codes. */
export function codeBytes(dimensions: number): number {
  return Math.ceil(dimensions / ROW_ALIGNMENT) * ROW_ALIGNMENT;
}

/** Bytes of a row of bits. */
export function bitBytes(dimensions: number): number {
  return Math.ceil(dimensions / (8 * ROW_ALIGNMENT)) * ROW_ALIGNMENT;
}

/** Writes the int8 codes: the upper bytes, rounded. One step of them is 256 * scale. */
export function writeCodes(codes: Int16Array, row: Int8Array): void {
  for (let i = 0; i < codes.length; i++) row[i] = (codes[i]! + 128) >> 8;
}

/** Writes a bit for each component below 0. */
export function writeBits(codes: Int16Array | Float32Array, row: Uint8Array): void {
  row.fill(0);
  for (let i = 0; i < codes.length; i++) if (codes[i]! < 0) row[i >> 3]! |= 1 << (i & 7);
}

/** A query for the int8 scan: times a row's dot product and its scale this `scale` gives the score. */
export function encodeQuery(vector: Float32Array): { scale: number; terms: Int16Array } {
  const scale = largest(vector) / LARGEST_QUERY || 1;
  const terms = new Int16Array(codeBytes(vector.length));
  for (let i = 0; i < vector.length; i++) terms[i] = Math.round(vector[i]! / scale);
  return { scale: scale * 256, terms };
}

/** The dot product of a query and a vector, as exact as the codes are. */
export function exactDot(query: Float32Array, { scale, codes }: VectorCodes): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += query[i]! * codes[i]!;
  return sum * scale;
}

function largest(vector: Float32Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  return most;
}
