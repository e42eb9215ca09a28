/** Requests that must be refused before anything is spent on them. Each names the field the refusal must name. */
export interface HostileRequest {
  name: string;
  path: string;
  /** A string is sent as it is. */
  body: unknown;
  /** Null: the request as a whole. */
  param: string | null;
  headers?: Record<string, string>;
}

const user = { role: "user", content: "hi" };
const good = { model: "scripted", messages: [user] };

function chat(name: string, change: object, param: string | null): HostileRequest {
  return { name, path: "/v1/chat/completions", body: { ...good, ...change }, param };
}

function raw(name: string, body: string, headers?: Record<string, string>): HostileRequest {
  return { name, path: "/v1/chat/completions", body, param: null, ...(headers ? { headers } : {}) };
}

/** A number as given, also where JSON.stringify could not write it. */
function number(field: string, text: string): HostileRequest {
  return chatText(`${field}: ${text}`, field, text, field);
}

/** A schema so deep that JSON.stringify could not write it, as text. */
function deepSchema(): string {
  const depth = 10_000;
  return `${'{"type":"object","properties":{"a":'.repeat(depth)}{"type":"string"}${"}}".repeat(depth)}`;
}

/** A chat request whose one field is this text. */
function chatText(name: string, field: string, text: string, param: string): HostileRequest {
  const body = JSON.stringify(good).replace(/\}$/u, `,"${field}":${text}}`);
  return { name, path: "/v1/chat/completions", body, param };
}

function format(schema: object): object {
  return { response_format: { type: "json_schema", json_schema: { name: "x", schema } } };
}

function tool(name: unknown, parameters: object = { type: "object" }): object {
  return { type: "function", function: { name, parameters } };
}

const schemaParam = "response_format.json_schema.schema";

export const hostileRequests: HostileRequest[] = [
  // Numbers
  ...["0", "-1", "9", "1000000", "1.5", "1e308", "1e999", '"2"', "[1]", "{}", "true"].map((text) => number("n", text)),
  ...["0", "-1", "1e308", "99999999999", "2.5", '"all"', "[]"].map((text) => number("max_tokens", text)),
  ...["0", "-5", "1e308"].map((text) => number("max_completion_tokens", text)),
  ...["-0.1", "2.1", "1e308", "1e999", '"hot"'].map((text) => number("temperature", text)),
  ...["-0.1", "1.1", "-1e308"].map((text) => number("top_p", text)),
  ...["-2.1", "2.1", '"x"'].map((text) => number("frequency_penalty", text)),
  ...["-3", "1e308"].map((text) => number("presence_penalty", text)),
  ...["1.5", "1e308", '"seed"'].map((text) => number("seed", text)),
  ...["-2", "1001", "0.5"].map((text) => number("top_k", text)),
  ...["-1", "2"].map((text) => number("min_p", text)),
  ...["0", "1e308"].map((text) => number("repetition_penalty", text)),
  chat("top_logprobs of 21", { logprobs: true, top_logprobs: 21 }, "top_logprobs"),
  chat("top_logprobs below 0", { logprobs: true, top_logprobs: -1 }, "top_logprobs"),
  chat("top_logprobs alone", { top_logprobs: 2 }, "top_logprobs"),
  chat("logprobs as a number", { logprobs: 3 }, "logprobs"),
  chat("logit_bias beyond 100", { logit_bias: { 5: 101 } }, "logit_bias.5"),
  chat("logit_bias of a word", { logit_bias: { hello: 1 } }, "logit_bias.hello"),
  chat("logit_bias of a negative token", { logit_bias: { "-1": 1 } }, "logit_bias.-1"),
  chat("logit_bias beyond the vocabulary", { logit_bias: { 999999: 1 } }, "logit_bias"),
  chat(
    "logit_bias of 100,000 tokens",
    { logit_bias: Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [at, 1])) },
    "logit_bias",
  ),
  // Stops
  chat("17 stops", { stop: Array<string>(17).fill("x") }, "stop"),
  chat("a million stops", { stop: Array<string>(1_000_000).fill("x") }, "stop"),
  chat("an empty stop", { stop: [""] }, "stop"),
  chat("a stop of 100,000 characters", { stop: "x".repeat(100_000) }, "stop"),
  chat("a stop that is a number", { stop: 3 }, "stop"),
  // Messages
  chat("no messages", { messages: [] }, "messages"),
  chat("messages as text", { messages: "hi" }, "messages"),
  chat("10,000 messages", { messages: Array(10_000).fill(user) }, "messages"),
  chat("a message without content", { messages: [{ role: "user" }] }, "messages[0].content"),
  chat("a number as content", { messages: [{ role: "user", content: 3 }] }, "messages[0].content"),
  chat("an unknown role", { messages: [{ role: "root", content: "x" }] }, "messages[0].role"),
  chat(
    "a picture",
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
    "messages[0].content[0]",
  ),
  chat(
    "a result of no call",
    { messages: [{ role: "tool", content: "x", tool_call_id: "c" }] },
    "messages[0].tool_call_id",
  ),
  chat("a prompt of 10 MB", { messages: [{ role: "user", content: "x".repeat(10_000_000) }] }, null),
  chat("no model", { model: undefined }, "model"),
  chat("a model that is a number", { model: 4 }, "model"),
  chat("a model name of 10,000 characters", { model: "m".repeat(10_000) }, "model"),
  // Tools
  chat("100,000 tools", { tools: Array(100_000).fill(tool("f")) }, null),
  chat("30,000 tools", { tools: Array(30_000).fill(tool("f")) }, "tools"),
  chat("two tools of one name", { tools: [tool("f"), tool("f")] }, "tools/1/name"),
  chat("a tool name of symbols", { tools: [tool("rm -rf /")] }, "tools[0].function.name"),
  chat("a tool that is no function", { tools: [{ type: "code_interpreter" }] }, "tools[0].type"),
  chat("a tool without a name", { tools: [tool(undefined)] }, "tools[0].function.name"),
  chat(
    "parameters that are a list",
    { tools: [{ type: "function", function: { name: "f", parameters: [] } }] },
    "tools[0].function.parameters",
  ),
  chat(
    "a choice of a tool that is not there",
    { tools: [tool("f")], tool_choice: { type: "function", function: { name: "g" } } },
    "tool_choice",
  ),
  chat("a choice without tools", { tool_choice: "required" }, "tool_choice"),
  chat("an unknown choice", { tools: [tool("f")], tool_choice: "sometimes" }, "tool_choice"),
  chatText(
    "a tool with a deep schema",
    "tools",
    `[{"type":"function","function":{"name":"f","parameters":${deepSchema()}}}]`,
    "tools/0/parameters",
  ),
  // Schemas
  chatText(
    "a schema 10,000 levels deep",
    "response_format",
    `{"type":"json_schema","json_schema":{"name":"x","schema":${deepSchema()}}}`,
    schemaParam,
  ),
  chat("a schema that refers to itself", format({ $ref: "#" }), schemaParam),
  chat(
    "a ring of references",
    format({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } }),
    schemaParam,
  ),
  chat("a reference to another place", format({ $ref: "https://evil.test/schema.json" }), schemaParam),
  chat("a reference to nothing", format({ $ref: "#/$defs/none" }), schemaParam),
  chat("a pattern that explodes", format({ type: "string", pattern: "(a+)+(b+)+((c+)+)+\\1" }), schemaParam),
  chat("an enum of a million", format({ enum: Array.from({ length: 1_000_000 }, (_, at) => at % 10) }), schemaParam),
  chat(
    "a schema that is text",
    { response_format: { type: "json_schema", json_schema: { name: "x", schema: "{}" } } },
    schemaParam,
  ),
  chat("no schema", { response_format: { type: "json_schema", json_schema: { name: "x" } } }, schemaParam),
  chat("an unknown format", { response_format: { type: "xml" } }, "response_format.type"),
  chat(
    "100,000 properties",
    format({
      type: "object",
      properties: Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`p${at}`, {}])),
    }),
    schemaParam,
  ),
  // What means something that is not done here
  chat("functions", { functions: [{ name: "f" }] }, "functions"),
  chat("audio", { audio: { voice: "alloy" } }, "audio"),
  chat("modalities", { modalities: ["audio"] }, "modalities"),
  chat("web search", { web_search_options: {} }, "web_search_options"),
  chat("a prediction", { prediction: { type: "content", content: "x" } }, "prediction"),
  chat("stream options without a stream", { stream_options: { include_usage: true } }, "stream_options"),
  chat("stream as text", { stream: "yes" }, "stream"),
  chat("an unknown extension", { corral: { collection: "House rules" } }, "corral"),
  chat("collections as text", { corral: { collections: "House rules" } }, "corral.collections"),
  chat("a thousand collections", { corral: { collections: Array(1_000).fill("x") } }, "corral.collections"),
  // Bodies
  raw("nothing", ""),
  raw("broken JSON", '{"model":"scripted","messages":[{'),
  raw("not a number", '{"model":"scripted","temperature":NaN}'),
  raw("a list", "[]"),
  raw("null", "null"),
  raw("a text", '"hello"'),
  raw("a form", "model=scripted", { "content-type": "application/x-www-form-urlencoded" }),
  raw("plain text", JSON.stringify(good), { "content-type": "text/plain" }),
  raw("a compressed body", JSON.stringify(good), { "content-encoding": "gzip" }),
  raw("100,000 open brackets", "[".repeat(100_000)),
  raw("a million open braces", `{"a":`.repeat(1_000_000)),
  raw("500,000 open braces", `{"a":`.repeat(500_000)),
  // Other endpoints
  { name: "token ids", path: "/v1/completions", body: { model: "scripted", prompt: [1, 2, 3] }, param: "prompt" },
  {
    name: "nine prompts",
    path: "/v1/completions",
    body: { model: "scripted", prompt: Array(9).fill("x") },
    param: "prompt",
  },
  {
    name: "too many choices",
    path: "/v1/completions",
    body: { model: "scripted", prompt: Array(4).fill("x"), n: 4 },
    param: "n",
  },
  {
    name: "best_of",
    path: "/v1/completions",
    body: { model: "scripted", prompt: "x", best_of: 1_000_000 },
    param: "best_of",
  },
  {
    name: "best_of 4",
    path: "/v1/completions",
    body: { model: "scripted", prompt: "x", best_of: 4 },
    param: "best_of",
  },
  { name: "a suffix", path: "/v1/completions", body: { model: "scripted", prompt: "x", suffix: "y" }, param: "suffix" },
  { name: "no input", path: "/v1/embeddings", body: { model: "scripted-embed", input: [] }, param: "input" },
  { name: "an empty text", path: "/v1/embeddings", body: { model: "scripted-embed", input: "" }, param: "input" },
  {
    name: "100,000 texts",
    path: "/v1/embeddings",
    body: { model: "scripted-embed", input: Array(100_000).fill("x") },
    param: "input",
  },
  {
    name: "an unknown encoding",
    path: "/v1/embeddings",
    body: { model: "scripted-embed", input: "x", encoding_format: "hex" },
    param: "encoding_format",
  },
  {
    name: "no dimensions",
    path: "/v1/embeddings",
    body: { model: "scripted-embed", input: "x", dimensions: 0 },
    param: "dimensions",
  },
  {
    name: "no documents",
    path: "/v1/rerank",
    body: { model: "scripted-rank", query: "x", documents: [] },
    param: "documents",
  },
  {
    name: "100,000 documents",
    path: "/v1/rerank",
    body: { model: "scripted-rank", query: "x", documents: Array(100_000).fill("x") },
    param: "documents",
  },
  {
    name: "no best",
    path: "/v1/rerank",
    body: { model: "scripted-rank", query: "x", documents: ["x"], top_n: 0 },
    param: "top_n",
  },
  {
    name: "a background",
    path: "/v1/responses",
    body: { model: "scripted", input: "x", background: true },
    param: "background",
  },
  {
    name: "a cut",
    path: "/v1/responses",
    body: { model: "scripted", input: "x", truncation: "auto" },
    param: "truncation",
  },
  {
    name: "a tool of OpenAI's",
    path: "/v1/responses",
    body: { model: "scripted", input: "x", tools: [{ type: "web_search" }] },
    param: "tools[0].type",
  },
  {
    name: "an unknown item",
    path: "/v1/responses",
    body: { model: "scripted", input: [{ type: "item_reference", id: "x" }] },
    param: "input[0].type",
  },
  {
    name: "an unknown earlier response",
    path: "/v1/responses",
    body: { model: "scripted", input: "x", previous_response_id: "resp_x" },
    param: "previous_response_id",
  },
  {
    name: "too much metadata",
    path: "/v1/responses",
    body: {
      model: "scripted",
      input: "x",
      metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [at, "x"])),
    },
    param: "metadata",
  },
];
