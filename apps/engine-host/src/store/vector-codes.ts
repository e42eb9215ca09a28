import { ROW_ALIGNMENT } from "./vector-kernel.ts";

/** The largest code of a vector, 127 * 256: its upper byte fits an int8. */
const LARGEST_CODE = 32_512;
/** The largest value of a query: 11 bits with the sign. */
const LARGEST_QUERY = 1023;

/**
 * A vector in fixed point: component i is about (256 * high[i] + low[i]) * scale, to 16 bits of the largest one. The upper
 * bytes alone are what scans read; they have the sign of their component, and are half a step too small on average.
 */
export interface VectorCodes {
  scale: number;
  high: Int8Array;
  low: Uint8Array;
}

export function encodeVector(vector: Float32Array): VectorCodes {
  const scale = largest(vector) / LARGEST_CODE || 1;
  const steps = 1 / scale;
  const high = new Int8Array(vector.length);
  const low = new Uint8Array(vector.length);
  for (let i = 0; i < vector.length; i++) {
    // Rounds as Math.round does, in a tenth of the time: what is cut off is never below 0.
    const code = ((vector[i]! * steps + LARGEST_CODE + 0.5) | 0) - LARGEST_CODE;
    high[i] = code >> 8;
    low[i] = code & 255;
  }
  return { scale, high, low };
}

/** Bytes of a row of upper bytes, padded. */
export function codeBytes(dimensions: number): number {
  return Math.ceil(dimensions / ROW_ALIGNMENT) * ROW_ALIGNMENT;
}

/** Bytes of a row of bits, padded. */
export function bitBytes(dimensions: number): number {
  return Math.ceil(dimensions / (8 * ROW_ALIGNMENT)) * ROW_ALIGNMENT;
}

/** Writes a bit for each component below 0. */
export function writeBits(components: Int8Array | Float32Array, row: Uint8Array): void {
  row.fill(0);
  for (let i = 0; i < components.length; i++) if (components[i]! < 0) row[i >> 3]! |= 1 << (i & 7);
}

/** A query as scans read it: a row's score is (dot product of terms and upper bytes + offset) * its scale * `scale`. */
export interface QueryCodes {
  scale: number;
  terms: Int16Array;
  /** The half steps by which upper bytes are too small, for all rows the same. */
  offset: number;
}

export function encodeQuery(vector: Float32Array): QueryCodes {
  const scale = largest(vector) / LARGEST_QUERY || 1;
  const terms = new Int16Array(codeBytes(vector.length));
  for (let i = 0; i < vector.length; i++) terms[i] = Math.round(vector[i]! / scale);
  return { scale: scale * 256, terms, offset: terms.reduce((sum, term) => sum + term, 0) / 2 };
}

/** The dot product of a query and a vector, as exact as the codes are. */
export function exactDot(query: Float32Array, { scale, high, low }: VectorCodes): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += query[i]! * (high[i]! * 256 + low[i]!);
  return sum * scale;
}

/** The dot product by the upper bytes alone. */
export function roughDot(query: Float32Array, { scale, high }: Pick<VectorCodes, "scale" | "high">): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += query[i]! * (high[i]! + 0.5);
  return sum * scale * 256;
}

/** Whether all components are numbers. */
export function isFiniteVector(vector: Float32Array): boolean {
  // Nothing but 0 comes of numbers, and not a number of anything else.
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * 0;
  return sum === 0;
}

function largest(vector: Float32Array): number {
  let most = 0;
  for (let i = 0; i < vector.length; i++) {
    const size = Math.abs(vector[i]!);
    if (size > most) most = size;
  }
  return most;
}
