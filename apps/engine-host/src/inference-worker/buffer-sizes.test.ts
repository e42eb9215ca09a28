import { describe, expect, it } from "vitest";
import { BufferSizes } from "./buffer-sizes.ts";

const mebibyte = 2 ** 20;

describe("what llama.cpp says it has allocated", () => {
  it("is read for a model in main memory", () => {
    const sizes = new BufferSizes();
    sizes.read("load_tensors: loading model tensors, this can take a while... (load_mode = mmap)");
    sizes.read("load_tensors:   CPU_Mapped model buffer size =  1252.41 MiB");
    sizes.read(
      "llama_context:        CPU  output buffer size =     0.49 MiB\nllama_kv_cache:        CPU KV buffer size =   136.00 MiB\nllama_kv_cache: size =  136.00 MiB (  8192 cells,  16 layers,  1/1 seqs), K (q8_0):   68.00 MiB, V (q8_0):   68.00 MiB",
    );
    sizes.read("sched_reserve:        CPU compute buffer size =   262.50 MiB");
    expect(sizes.memory()).toEqual([
      {
        gpu: null,
        weightsBytes: Math.round(1252.41 * mebibyte),
        kvCacheBytes: 136 * mebibyte,
        computeBytes: 262.5 * mebibyte,
      },
    ]);
  });

  it("is kept apart by GPU, with the buffers that wait in main memory for a GPU counted there", () => {
    const sizes = new BufferSizes();
    sizes.read(`load_tensors:        CUDA0 model buffer size =  4000.00 MiB
load_tensors:        CUDA1 model buffer size =  3900.25 MiB
load_tensors:   CPU_Mapped model buffer size =   266.16 MiB
load_tensors:   CUDA_Host model buffer size =   10.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =  1024.00 MiB
llama_kv_cache:      CUDA1 KV buffer size =   960.00 MiB
sched_reserve:      CUDA0 compute buffer size =   400.00 MiB
sched_reserve:      CUDA1 compute buffer size =   669.00 MiB
sched_reserve:  CUDA_Host compute buffer size =   272.02 MiB`);
    expect(sizes.memory()).toEqual([
      { gpu: 0, weightsBytes: 4000 * mebibyte, kvCacheBytes: 1024 * mebibyte, computeBytes: 400 * mebibyte },
      { gpu: 1, weightsBytes: 3900.25 * mebibyte, kvCacheBytes: 960 * mebibyte, computeBytes: 669 * mebibyte },
      {
        gpu: null,
        weightsBytes: Math.round(266.16 * mebibyte) + 10 * mebibyte,
        kvCacheBytes: 0,
        computeBytes: Math.round(272.02 * mebibyte),
      },
    ]);
  });

  it("adds the files of a split model and the caches of a model with two, and takes the last of two reservations", () => {
    const sizes = new BufferSizes();
    sizes.read("load_tensors:   CPU_Mapped model buffer size =   100.00 MiB");
    sizes.read("load_tensors:   CPU_Mapped model buffer size =    50.00 MiB");
    sizes.read("llama_kv_cache:        CPU KV buffer size =    10.00 MiB");
    sizes.read("llama_kv_cache:        CPU KV buffer size =    20.00 MiB");
    sizes.read("llama_memory_recurrent:        CPU RS buffer size =    2.00 MiB");
    sizes.read("sched_reserve:        CPU compute buffer size =   300.00 MiB");
    sizes.read("sched_reserve:        CPU compute buffer size =   280.00 MiB");
    expect(sizes.memory()).toEqual([
      { gpu: null, weightsBytes: 150 * mebibyte, kvCacheBytes: 32 * mebibyte, computeBytes: 280 * mebibyte },
    ]);
  });

  it("ignores lines that only look like it", () => {
    const sizes = new BufferSizes();
    sizes.read("x: CPU compute buffer size of 1.0000 MiB, does not match expectation of 2.0000 MiB");
    sizes.read("load_tensors: CPU model buffer size = lots MiB");
    sizes.read("a CPU model buffer size = 5.00 MiB");
    expect(sizes.memory()).toEqual([{ gpu: null, weightsBytes: 0, kvCacheBytes: 0, computeBytes: 0 }]);
  });
});
