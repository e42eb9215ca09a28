/**
 * Builds the vector kernel from its AssemblyScript source into a TypeScript module that carries the WebAssembly as base64,
 * so that it needs no file of its own in any bundle. The module is checked in; a test compares it with the source.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const source = "apps/engine-host/assembly/vector-kernel.ts";
const target = "apps/engine-host/src/store/vector-kernel-wasm.ts";

/** Compiles the source. The same source always gives the same bytes (the compiler is pinned). */
export function compileKernel(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "corral-kernel-"));
  try {
    const out = join(folder, "kernel.wasm");
    const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
    const options = ["--runtime", "stub", "--importMemory", "--enable", "simd", "-O3", "--noAssert"];
    const { status, stderr } = spawnSync(process.execPath, [compiler, source, "--outFile", out, ...options], {
      cwd: root,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`The vector kernel does not compile:\n${stderr}`);
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const lines =
    compileKernel()
      .toString("base64")
      .match(/.{1,100}/g) ?? [];
  const module = `// Built by \`npm run build:kernel\` from ${source}; do not edit.

/** The vector kernel's WebAssembly, base64. */
export const vectorKernelWasm =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
  writeFileSync(join(root, target), module);
}
