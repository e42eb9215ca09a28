import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { openLogger } from "../../logger.ts";
import { createRetrieval } from "../../retrieval/create-retrieval.ts";
import { storeDocuments, temporaryStore } from "../../chat/testing/stored-documents.ts";
import { createApi } from "../api.ts";
import { ownerCredentials } from "../credentials.ts";
import { ScriptedApiModels } from "./scripted-api-models.ts";

export const key = "test-key-of-the-owner";

export interface ServedApi extends AsyncDisposable {
  /** "http://127.0.0.1:PORT" */
  readonly address: string;
  readonly port: number;
  readonly models: ScriptedApiModels;
  /** POST with the key; a string goes as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
}

/** The API over real HTTP, with scripted models and a real store that holds the collection "House rules". */
export async function serveApi(models = new ScriptedApiModels()): Promise<ServedApi> {
  await using opened = new AsyncDisposableStack();
  const { store } = opened.use(await temporaryStore());
  const { collectionIds } = await storeDocuments(store, [
    {
      name: "rules.pdf",
      paragraphs: [
        "The reading room is open on weekdays.",
        "The gate closes at 18:00 in winter. In summer it closes at 21:00.",
        "Dogs are allowed on a lead in the garden.",
      ],
    },
  ]);
  await store.collections.rename(collectionIds[0]!, "House rules");
  const api = createApi({
    services: {
      models: models.services,
      retrieval: createRetrieval({ store }),
      store,
      hardware: { watch: async function* () {} },
      log: openLogger({ directory: null, stderr: "error" }),
    },
    credentials: ownerCredentials(key),
    version: "9.9.9",
  });
  const server = createServer();
  const handle = getRequestListener(api, { overrideGlobalObjects: false });
  server.on("request", (request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}`;
  const owned = opened.move();
  return {
    address,
    port,
    models,
    post: (path, body, headers) =>
      fetch(`${address}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    get: (path, headers) => fetch(`${address}${path}`, { headers: { authorization: `Bearer ${key}`, ...headers } }),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The events of a stream: of each its name (if it has one) and its data; comments left out. */
export async function eventsOf(response: Response): Promise<{ event: string | null; data: unknown }[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((frame) => frame !== "" && !frame.startsWith(":"))
    .map((frame) => {
      const event = /^event: (.*)$/mu.exec(frame)?.[1] ?? null;
      const data = /^data: (.*)$/mu.exec(frame)?.[1] ?? "";
      return { event, data: data === "[DONE]" ? data : (JSON.parse(data) as unknown) };
    });
}
