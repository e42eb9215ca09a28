import { vectorKernelWasm } from "./vector-kernel-wasm.ts";

/** Bytes of a row are padded to a multiple of this, the width of the kernel's loads. */
export const ROW_ALIGNMENT = 16;
/** Rows one call of the kernel scores at most. */
const ROWS_PER_CALL = 8192;
/** Longest row in bytes for which the sums of {@link VectorKernel.dot8} cannot overflow. */
export const LONGEST_ROW = 16_384;

const PAGE = 65_536;
/** What WebAssembly can address: 4 GiB. */
const MOST_PAGES = 65_536;
/** In front of the rows: the query (int16 of the longest row, or fewer bits) and the scores of one call. */
const QUERY = 0;
const SCORES = QUERY + 2 * LONGEST_ROW;
const ROWS = SCORES + 4 * ROWS_PER_CALL;

interface KernelExports {
  dot8(rows: number, count: number, stride: number, query: number, out: number): void;
  hamming(rows: number, count: number, stride: number, query: number, out: number): void;
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What is used of WebAssembly, whose types come with a browser's only. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Module: new (code: Uint8Array) => object;
    Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
    Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { exports: KernelExports };
  };
};

const compiled = new WebAssembly.Module(Buffer.from(vectorKernelWasm, "base64"));

/**
 * The vector kernel with memory of its own, in which rows lie in blocks of one size. Addresses are bytes in that memory; it
 * grows as blocks are taken and blocks that were given back are used again.
 */
export class VectorKernel {
  readonly #memory = new WebAssembly.Memory({ initial: Math.ceil(ROWS / PAGE), maximum: MOST_PAGES });
  readonly #exports = new WebAssembly.Instance(compiled, { env: { memory: this.#memory } }).exports;
  readonly #blockBytes: number;
  readonly #free: number[] = [];
  #end = ROWS;

  /** @param blockBytes a multiple of 16 */
  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  /** Bytes the memory has now. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** The address of a block. What lies in it is left over from before. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const address = this.#end;
    this.#end += this.#blockBytes;
    const missing = this.#end - this.bytes;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    return address;
  }

  giveBack(address: number): void {
    this.#free.push(address);
  }

  write(address: number, content: Int8Array | Uint8Array): void {
    new Uint8Array(this.#memory.buffer).set(content, address);
  }

  /** Sets what {@link dot8} multiplies with: a row's worth of int16. */
  setQuery(query: Int16Array): void {
    new Int16Array(this.#memory.buffer, QUERY, query.length).set(query);
  }

  /** Sets what {@link hamming} compares with: a row of bits. */
  setQueryBits(bits: Uint8Array): void {
    this.write(QUERY, bits);
  }

  /**
   * Exact dot products of the query and `count` rows, at most {@link ROWS_PER_CALL}.
   * @returns one per row, valid until the next call
   */
  dot8(address: number, count: number, stride: number): Int32Array {
    this.#exports.dot8(address, count, stride, QUERY, SCORES);
    return new Int32Array(this.#memory.buffer, SCORES, count);
  }

  /** In how many bits the query and each row differ. @returns as {@link dot8} */
  hamming(address: number, count: number, stride: number): Int32Array {
    this.#exports.hamming(address, count, stride, QUERY, SCORES);
    return new Int32Array(this.#memory.buffer, SCORES, count);
  }
}
