import { PROTOCOL_VERSION, type GenerationPart } from "@corral/protocol";
import { openLogger } from "../../logger.ts";
import type { Services } from "../context.ts";

/** Services for tests of the router and the transports: each does the least that a test can see, and records its calls. */
export interface FakeServices extends Services {
  /** "area.method" of every call so far. */
  readonly calls: string[];
  /** What library.addUpload received of each upload, and how it ended. */
  readonly uploads: { name: string; bytes: number; outcome: "whole" | "broken" }[];
  /** Makes the next calls of "area.method" behave otherwise. */
  readonly overrides: Map<string, (...args: never[]) => unknown>;
}

export function fakeServices(): FakeServices {
  const calls: string[] = [];
  const uploads: FakeServices["uploads"] = [];
  const overrides: FakeServices["overrides"] = new Map();

  const area = <T extends object>(name: string, methods: Partial<T>): T =>
    new Proxy(methods as T, {
      get(target, key) {
        if (typeof key !== "string") return Reflect.get(target, key) as unknown;
        const path = `${name}.${key}`;
        const own: unknown = overrides.get(path) ?? Reflect.get(target, key);
        if (own !== undefined && typeof own !== "function") return own;
        return (...args: unknown[]) => {
          calls.push(path);
          if (own === undefined) throw new Error(`${path} is not faked`);
          return (own as (...rest: unknown[]) => unknown)(...args);
        };
      },
    });

  return {
    calls,
    uploads,
    overrides,
    log: openLogger({ directory: null, stderr: null }),
    description: {
      protocolVersion: PROTOCOL_VERSION,
      appVersion: "0.0.0",
      shell: "headless",
      dataDirectory: "/nowhere",
      supportedFileTypes: [".txt"],
      uploadLimitBytes: 1 << 20,
    },
    access: () => ({ address: null, key: "key" }),
    hardware: area<Services["hardware"]>("hardware", {}),
    models: area<Services["models"]>("models", { list: () => Promise.resolve([]) }),
    planner: area<Services["planner"]>("planner", {}),
    benchmark: area<Services["benchmark"]>("benchmark", { reports: () => Promise.resolve([]) }),
    mcp: area<Services["mcp"]>("mcp", { list: () => [] }),
    retrieval: area<Services["retrieval"]>("retrieval", {
      search: () => Promise.resolve({ hits: [], legs: ["lexical"], notes: [] }),
    }),
    embedding: area<Services["embedding"]>("embedding", {}),
    doctor: { check: () => Promise.resolve([]) },
    library: area<Services["library"]>("library", {
      uploadLimitBytes: 1 << 20,
      collections: () => Promise.resolve([]),
      pageImage: () => Promise.resolve(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0xff, 0, 1])),
      async addUpload(_collection, name, content, signal) {
        const upload = { name, bytes: 0, outcome: "broken" as "whole" | "broken" };
        uploads.push(upload);
        for await (const part of content) {
          signal.throwIfAborted();
          upload.bytes += part.byteLength;
        }
        signal.throwIfAborted();
        upload.outcome = "whole";
        return { file: name, outcome: "added", document: null, error: null };
      },
    }),
    chat: area<Services["chat"]>("chat", {
      async *follow(_messageId, signal): AsyncGenerator<GenerationPart> {
        for (let done = 0; !signal.aborted; done++) {
          yield { type: "prefill-progress", done, total: 1_000_000 };
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      },
    }),
  };
}
