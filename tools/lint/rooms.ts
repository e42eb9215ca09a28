/**
 * The may-import table of ARCHITECTURE.md as data. A file belongs to the first room whose `folder` holds it.
 * `layers.ts` reads this table; nothing else does.
 */

/** What one room may take from another. */
export interface Door {
  /** Name of the room, or of one file in it ("engines/engine"). */
  to: string;
  /** all: values and types. types: types only. Else the names that may also be imported as values. */
  what: "all" | "types" | string[];
}

export interface Room {
  name: string;
  /** Folder, or a single file, from the repository root. */
  folder: string;
  doors: Door[];
  /** Node's own modules: any, none, or these. `node:sqlite` is reserved to store besides. */
  node: "any" | "none" | string[];
}

const all = (to: string): Door => ({ to, what: "all" });
const types = (to: string): Door => ({ to, what: "types" });

/** The error class is a word of the protocol everybody on the host must be able to throw. */
const protocolTypes: Door = { to: "protocol", what: ["CorralError"] };
/** Whoever logs is given a logger by main; only its type is known here. */
const logger = types("logger");
const everyService = [
  all("engines/engine"),
  // What a request may ask of any engine is refused before it waits for one.
  all("engines/request-checks"),
  all("store"),
  all("protocol"),
  logger,
];

const host = "apps/engine-host/src";
const services = ["chat", "ingestion", "retrieval", "models", "hardware", "sharing", "mcp"];

export const rooms: Room[] = [
  { name: "protocol", folder: "packages/protocol/src", doors: [], node: "none" },

  { name: "ui/theme", folder: "packages/ui/src/theme", doors: [], node: "none" },
  { name: "ui/locales", folder: "packages/ui/src/locales", doors: [], node: "none" },
  {
    name: "ui/components",
    folder: "packages/ui/src/components",
    doors: [all("ui/theme"), all("ui/locales")],
    node: "none",
  },
  { name: "ui/connection", folder: "packages/ui/src/connection", doors: [all("protocol")], node: "none" },
  {
    name: "ui/stores",
    folder: "packages/ui/src/stores",
    doors: [all("ui/connection"), all("ui/locales"), all("protocol")],
    node: "none",
  },
  {
    name: "ui/screens",
    folder: "packages/ui/src/screens",
    doors: [all("ui/stores"), all("ui/components"), all("ui/locales"), types("protocol")],
    node: "none",
  },
  {
    name: "ui/app",
    folder: "packages/ui/src",
    doors: [
      all("ui/screens"),
      all("ui/stores"),
      all("ui/components"),
      all("ui/connection"),
      all("ui/theme"),
      all("ui/locales"),
      types("protocol"),
    ],
    node: "none",
  },

  {
    name: "cli",
    folder: `${host}/cli`,
    doors: [all("main"), all("logger"), types("transport"), all("protocol")],
    node: "any",
  },
  { name: "transport", folder: `${host}/transport`, doors: [all("router"), all("protocol"), logger], node: "any" },
  {
    name: "router",
    folder: `${host}/router`,
    doors: [...services.map(all), all("protocol"), logger],
    node: "none",
  },
  {
    name: "sharing",
    folder: `${host}/sharing`,
    doors: [...services.filter((name) => name !== "sharing").map(all), ...everyService],
    node: "any",
  },
  {
    name: "chat",
    folder: `${host}/chat`,
    doors: [all("retrieval"), all("models"), all("mcp"), ...everyService],
    node: "any",
  },
  { name: "mcp", folder: `${host}/mcp`, doors: everyService, node: "any" },
  { name: "ingestion", folder: `${host}/ingestion`, doors: [all("models"), ...everyService], node: "any" },
  { name: "retrieval", folder: `${host}/retrieval`, doors: [all("models"), ...everyService], node: "any" },
  {
    name: "models",
    folder: `${host}/models`,
    doors: [
      all("hardware"),
      all("planning"),
      all("engines/gguf-header"),
      // The scheduler hands on what an engine yields, to readers that may be slower.
      all("engines/part-queue"),
      // What the engine is measured against.
      all("engines/bare-loop"),
      ...everyService,
    ],
    node: "any",
  },
  { name: "hardware", folder: `${host}/hardware`, doors: everyService, node: "any" },
  { name: "planning", folder: `${host}/planning`, doors: [protocolTypes], node: "none" },
  { name: "engines", folder: `${host}/engines`, doors: [protocolTypes, logger], node: "any" },
  {
    name: "inference-worker",
    folder: `${host}/inference-worker`,
    doors: [
      all("protocol"),
      types("engines"),
      // Both sides must find the folder of an owner's kept KV caches.
      all("engines/state-folder"),
      // A request is checked on the host and held to on the worker by the same grammars.
      ...["gbnf", "json-schema-grammar", "tool-call-grammar", "built-in-tools"].map((file) => all(`engines/${file}`)),
    ],
    node: "any",
  },
  {
    name: "ingestion-worker",
    folder: `${host}/ingestion-worker`,
    // Which file names stand for which format is the same inside an archive as outside.
    doors: [all("protocol"), all("ingestion/file-types"), types("ingestion"), all("store/language"), types("store")],
    node: "any",
  },
  { name: "store", folder: `${host}/store`, doors: [protocolTypes, logger], node: "any" },
  { name: "logger", folder: `${host}/logger.ts`, doors: [protocolTypes], node: "any" },
  {
    name: "main",
    folder: host,
    doors: [
      all("logger"),
      ...services.map(all),
      all("router"),
      all("transport"),
      all("planning"),
      all("engines"),
      all("store"),
      all("protocol"),
    ],
    node: "any",
  },
  { name: "bin", folder: "apps/engine-host/bin", doors: [all("cli")], node: "any" },

  { name: "desktop/preload", folder: "apps/desktop/src/preload", doors: [types("protocol")], node: "none" },
  { name: "desktop/main", folder: "apps/desktop/src", doors: [protocolTypes], node: "any" },
];

/** Packages only these rooms may import. A package that is not named here is free for every room. */
export const reservedPackages: Record<string, string[]> = {
  "node:sqlite": ["store"],
  "node-llama-cpp": ["inference-worker"],
  "@llamaindex/liteparse": ["ingestion-worker"],
  officeparser: ["ingestion-worker"],
  "postal-mime": ["ingestion-worker"],
  htmlparser2: ["ingestion-worker"],
  "@modelcontextprotocol/client": ["mcp"],
  "expr-eval-fork": ["chat"],
  electron: ["desktop/main", "desktop/preload"],
  "@orpc/contract": ["protocol"],
  "@orpc/server": ["router", "transport"],
  "@orpc/client": ["ui/connection", "cli", "router"],
  hono: ["transport", "sharing"],
  "@hono/node-server": ["transport", "sharing"],
  ws: ["transport", "cli"],
  systeminformation: ["hardware"],
};
