import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CorralClient, type HostDescription, PROTOCOL_VERSION } from "@corral/protocol";
import { createChat } from "./chat/create-chat.ts";
import { appVersion, defaultUiDirectory } from "./config.ts";
import { ownDirectory } from "./data-directory.ts";
import { createDoctor } from "./doctor.ts";
import type { Engine } from "./engines/engine.ts";
import { createLlamaEngine } from "./engines/llama-engine.ts";
import { checkTools } from "./engines/request-checks.ts";
import { createHardware } from "./hardware/read-hardware.ts";
import { createLibrary } from "./ingestion/create-library.ts";
import type { Library } from "./ingestion/library.ts";
import { WorkerPool } from "./ingestion/worker-pool.ts";
import { type LogFields, type Logger, type LogLevel, openLogger } from "./logger.ts";
import { createMcpServers } from "./mcp/create-mcp-servers.ts";
import { Benchmark } from "./models/benchmark.ts";
import { createModels } from "./models/create-models.ts";
import { FitRecord } from "./models/fit-record.ts";
import { ModelLibrary } from "./models/model-library.ts";
import { SpeedRecord } from "./models/speed-record.ts";
import { Planner } from "./models/planner.ts";
import { createEmbeddingJob, type EmbeddingJob } from "./retrieval/embedding-job.ts";
import { createRetrieval } from "./retrieval/create-retrieval.ts";
import type { Services } from "./router/context.ts";
import { createInProcessClient } from "./router/in-process-client.ts";
import { createApi } from "./sharing/api.ts";
import { ownerCredentials } from "./sharing/credentials.ts";
import { openStore } from "./store/open-store.ts";
import { type HttpServer, startHttpServer } from "./transport/http-server.ts";
import { type IpcChannel, serveIpc, startHeartbeat } from "./transport/ipc-server.ts";

export { startHeartbeat };

/** Plans without a host, a data directory or a registered model: for the catalog's models and GGUF files. */
export function createPlanner(resourcesDirectory: string): Planner {
  const hardware = createHardware({ diskPath: process.cwd() });
  return new Planner({ catalogPath: catalogOf(resourcesDirectory), hardware, library: null, record: null });
}

function catalogOf(resourcesDirectory: string): string {
  return join(resourcesDirectory, "catalog/models.json");
}

export interface HostOptions {
  dataDirectory: string;
  /** The folder that ships with Corral: reader-model/, samples/. */
  resourcesDirectory: string;
  shell: HostDescription["shell"];
  /** From which level on log lines also appear on stderr; null: none. */
  stderrLevel: LogLevel | null;
  /** In place of the one that runs models here: for tests. */
  engine?: Engine;
}

/** A running engine-host. Disposing ends its transports, saves running replies, stops its workers and frees the directory. */
export interface Host extends AsyncDisposable {
  readonly directory: string;
  /** The owner's access key. */
  readonly key: string;
  readonly services: Services;
  /** Calls the procedures without a wire. */
  readonly client: CorralClient;
  /**
   * Serves HTTP and WebSocket on 127.0.0.1 and publishes the address for `corral` commands.
   * @param options.ui folder of the built interface; null serves none
   * @throws CorralError PORT_IN_USE
   */
  listen(options: { port: number; ui: string | null }): Promise<HttpServer>;
  /** Serves the desktop app's pages over the IPC channel of this process. */
  serveIpc(channel: IpcChannel, onShutdown: () => void): void;
}

/**
 * Takes the data directory, opens the rooms in the order they need each other, and wires them.
 * @throws CorralError DATA_DIRECTORY_NOT_WRITABLE, DATA_DIRECTORY_IN_USE, DATA_DIRECTORY_NEWER, DISK_FULL
 */
export async function startHost(options: HostOptions): Promise<Host> {
  // Whatever was opened is closed again, last first, also when a later step fails.
  await using opened = new AsyncDisposableStack();
  const owned = opened.use(await ownDirectory(options.dataDirectory));
  const dataDirectory = owned.path;
  const logger = opened.use(openLogger({ directory: join(dataDirectory, "logs"), stderr: options.stderrLevel }));
  const store = opened.use(await openStore(dataDirectory, (line) => logger.info("store", { line })));
  const interrupted = await store.messages.interruptUnfinished();

  const hardware = createHardware({ diskPath: dataDirectory });
  const stateDirectory = join(dataDirectory, "kv-cache");
  const engine = options.engine ?? createLlamaEngine({ logger, stateDirectory });
  const embeddedModelPath = join(options.resourcesDirectory, "reader-model/corral-reader-q8_0.gguf");
  const modelLibrary = new ModelLibrary(store.modelFiles, embeddedModelPath);
  const models = opened.use(
    createModels({ store, engine, hardware, logger, library: modelLibrary, embeddedModelPath, stateDirectory }),
  );
  const planner = new Planner({
    catalogPath: catalogOf(options.resourcesDirectory),
    hardware,
    library: modelLibrary,
    record: new FitRecord(store.fitMeasurements),
    speeds: new SpeedRecord(store.settings),
  });
  const library = opened.use(
    await createLibrary({
      ...{ store, dataDirectory, log: logFailedDocuments(logger) },
      bundledOcrData: join(options.resourcesDirectory, "ocr"),
    }),
  );
  const retrieval = opened.use(createRetrieval({ store, models }));
  const embedding = opened.use(createEmbeddingJob({ store, models, log: logEmbedding(logger) }));
  opened.use(embedNewDocuments(library, embedding, logger));
  const mcp = opened.use(
    await createMcpServers({ settings: store.settings, checkTool: (tool) => checkTools([tool]), logger }),
  );
  const chat = opened.use(createChat({ store, retrieval, models, mcp, logger }));
  const uiDirectory = defaultUiDirectory;
  const addresses: string[] = [];
  const patient = {
    dataDirectory,
    uiDirectory,
    store,
    hardware,
    models,
    checkReader,
    addresses: () => addresses,
    recognition: () => library.recognition(),
  };
  const doctor = createDoctor(patient);

  const description: HostDescription = {
    protocolVersion: PROTOCOL_VERSION,
    appVersion,
    shell: options.shell,
    dataDirectory,
    supportedFileTypes: library.supportedFileTypes,
    uploadLimitBytes: library.uploadLimitBytes,
  };
  const services: Services = {
    description,
    hardware,
    models,
    planner,
    benchmark: new Benchmark({ models, hardware, settings: store.settings }),
    library,
    retrieval,
    embedding,
    chat,
    mcp,
    doctor,
    access: () => ({ address: addresses[0] ?? null, key: owned.key }),
    log: logger,
  };
  const api = createApi({
    services: { models, retrieval, store, hardware, log: logger },
    credentials: ownerCredentials(owned.key),
    version: appVersion,
  });
  logger.info("host started", { version: appVersion, shell: options.shell, interruptedReplies: interrupted });

  // Transports come last, so that they go first: no call arrives while the rooms close.
  const parts = opened.move();
  const transports = parts.use(new AsyncDisposableStack());
  return {
    directory: dataDirectory,
    key: owned.key,
    services,
    client: createInProcessClient(services),
    async listen({ port, ui }) {
      const server = transports.use(await startHttpServer(services, { port, key: owned.key, ui, api }));
      addresses.push(server.address);
      owned.announce(server.address);
      logger.info("listening", { address: server.address });
      return server;
    },
    serveIpc(channel, onShutdown) {
      transports.use(serveIpc(channel, services, onShutdown));
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}

/**
 * Ends the process, not cleanly but in order, when something unexpected was thrown where nobody could catch it: what is
 * saved is safe on disk, and going on with unknown state is worse than a restart. Disposing takes the handlers off again.
 */
export function stopOnFatal(host: Host): Disposable {
  let isStopping = false;
  const stop = (event: string) => (error: unknown) => {
    host.services.log.fatal(event, {}, error);
    if (isStopping) return;
    isStopping = true;
    const exit = () => process.exit(1);
    Promise.race([host[Symbol.asyncDispose](), delay(2_000)]).then(exit, exit);
  };
  const onException = stop("uncaught exception");
  const onRejection = stop("unhandled rejection");
  process.on("uncaughtException", onException);
  process.on("unhandledRejection", onRejection);
  return {
    [Symbol.dispose]: () => {
      process.off("uncaughtException", onException);
      process.off("unhandledRejection", onRejection);
    },
  };
}

function logEmbedding(logger: Logger) {
  return (event: string, fields: LogFields, error?: unknown) =>
    error === undefined ? logger.info(event, fields) : logger.warn(event, fields, error);
}

/** Has documents embedded as they become ready, until it is disposed of. */
function embedNewDocuments(library: Library, embedding: EmbeddingJob, logger: Logger): Disposable {
  const stop = new AbortController();
  const follow = async () => {
    for await (const event of library.watch(stop.signal)) {
      const isReady = event.type === "document" && event.document.state === "ready";
      if (isReady || event.type.endsWith("-removed")) embedding.wake();
    }
  };
  follow().catch((error: unknown) => logger.error("new documents are not embedded", {}, error));
  return { [Symbol.dispose]: () => stop.abort() };
}

function logFailedDocuments(logger: Logger) {
  return (event: string, fields: { document: string; details?: string }, error: unknown) =>
    logger.warn(event, { document: fields.document }, error);
}

/** Has a document reader of its own read one line, for the doctor. */
async function checkReader(signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "corral-doctor-"));
  try {
    const path = join(folder, "check.txt");
    await writeFile(path, "Corral reads this line.\n");
    await using workers = new WorkerPool({ readers: 1 });
    const limits = { pages: 1, recognisedPages: 0, characters: 1_000, fileBytes: 1_000, unpackedBytes: 1_000 };
    let text = "";
    await workers.read(
      { type: "read", path, format: "text", limits, recognition: null },
      { signal, timeoutMs: 30_000, onPart: ({ pages }) => (text += pages.map((page) => page.text).join("")) },
    );
    if (!text.includes("reads this line"))
      throw new Error("The document reader read something else than the file says.");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
