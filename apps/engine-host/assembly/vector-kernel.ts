/**
 * The two loops of the vector search, in AssemblyScript. Built by `npm run build:kernel` into
 * src/store/vector-kernel-wasm.ts. Rows follow each other without gaps; `stride` is the bytes of one and a multiple of 16.
 * Fixed-width SIMD only: the relaxed dot product wants an unsigned 7-bit operand and differs between machines.
 */

/**
 * Dot products of `count` rows of int8 with the query in int16, an int32 each at `out`. Exact while
 * stride * 127 * the query's largest value stays below 2^31.
 */
export function dot8(rows: usize, count: usize, stride: usize, query: usize, out: usize): void {
  for (const end = rows + count * stride; rows < end; rows += stride, out += 4) {
    let sums = i32x4.splat(0);
    for (let at: usize = 0; at < stride; at += 16) {
      const row = v128.load(rows + at);
      const terms = query + (at << 1);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(row), v128.load(terms)));
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(row), v128.load(terms, 16)));
    }
    store<i32>(out, total(sums));
  }
}

/** In how many bits each of `count` rows differs from the query, an int32 each at `out`. Exact up to 65,520 bytes a row. */
export function hamming(rows: usize, count: usize, stride: usize, query: usize, out: usize): void {
  for (const end = rows + count * stride; rows < end; rows += stride, out += 4) {
    let sums = i16x8.splat(0);
    for (let at: usize = 0; at < stride; at += 16) {
      const differing = v128.xor(v128.load(rows + at), v128.load(query + at));
      sums = i16x8.add(sums, i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(differing)));
    }
    store<i32>(out, total(i32x4.extadd_pairwise_i16x8_u(sums)));
  }
}

function total(sums: v128): i32 {
  return (
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3)
  );
}
