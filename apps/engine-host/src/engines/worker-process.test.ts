import { describe, expect, it } from "vitest";
import { workerEnvironment } from "./worker-process.ts";

describe("workerEnvironment", () => {
  it("passes places and devices, and nothing that loads code, uses the network or is secret", () => {
    const environment = workerEnvironment({
      PATH: "/bin",
      HOME: "/home/x",
      CUDA_VISIBLE_DEVICES: "1",
      UV_THREADPOOL_SIZE: "16",
      NODE_OPTIONS: "--require evil.js",
      LD_PRELOAD: "evil.so",
      HF_ENDPOINT: "http://evil.test",
      MODEL_ENDPOINT: "http://evil.test",
      HF_TOKEN: "secret",
      https_proxy: "http://evil.test",
      CORRAL_KEY: "secret",
    });
    expect(environment).toEqual({ PATH: "/bin", HOME: "/home/x", CUDA_VISIBLE_DEVICES: "1", UV_THREADPOOL_SIZE: "1" });
  });

  it("shows a worker only the GPUs it is to use", () => {
    expect(workerEnvironment({ CUDA_VISIBLE_DEVICES: "0,1" }, ["GPU-a", "GPU-b"])).toMatchObject({
      CUDA_VISIBLE_DEVICES: "GPU-a,GPU-b",
    });
  });
});
