import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CorralClient, LoadPlan } from "@corral/protocol";
import { type ServedHost, serveHost } from "./served-host.ts";
import type { ChatServer } from "./sse-chat.ts";

/** A host in a process of its own with a model loaded, and how to reach it as any OpenAI client does. */
export interface ServingRun extends AsyncDisposable {
  readonly path: string;
  readonly threads: number;
  readonly plan: LoadPlan;
  readonly server: ChatServer;
  readonly client: CorralClient;
  readonly dataDirectory: string;
  /** Ends the host and starts it again on the same data, the model loaded. */
  restart(): Promise<void>;
}

export async function startServing(path: string, threads: number, parallel: number): Promise<ServingRun> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "corral-bench-serving-"));
  let stack = new AsyncDisposableStack();
  const start = async () => {
    const host: ServedHost = stack.use(await serveHost(dataDirectory, threads));
    const { client } = stack.use(await host.connect());
    const { id } = await client.models.add({ path });
    await client.models.configure({ parallelReplies: parallel, stateBudgetBytes: 4e9 });
    await client.models.load({ model: id });
    const { address, key } = await client.system.access();
    if (address === null) throw new Error("The host does not listen.");
    return {
      client,
      plan: await client.models.plan({ model: id }),
      server: { baseUrl: `${address}/v1`, key, model: id },
    };
  };
  let current = await start();
  return {
    path,
    threads,
    dataDirectory,
    get plan() {
      return current.plan;
    },
    get server() {
      return current.server;
    },
    get client() {
      return current.client;
    },
    async restart() {
      await stack.disposeAsync();
      stack = new AsyncDisposableStack();
      current = await start();
    },
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}
