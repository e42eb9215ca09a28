import type { Message, ToolCall, ToolDescription, ToolServer } from "@corral/protocol";

const call = (given: Partial<ToolCall>): ToolCall => ({
  id: given.name ?? "call",
  name: "mail__send",
  server: "mail",
  arguments: '{"to":"anna@example.org","subject":"Notice period","body":"Three months\u202E to the end of a quarter."}',
  state: "pending-approval",
  approval: "ask",
  result: null,
  resultOmitted: 0,
  durationMs: null,
  ...given,
});

/** A call in each of its states. */
export const sampleCalls: ToolCall[] = [
  call({ id: "ask" }),
  call({ id: "tainted", approval: "ask-each-time" }),
  call({ id: "running", state: "running", approval: "given" }),
  call({
    id: "search",
    name: "search_documents",
    server: null,
    arguments: '{"query":"notice period during probation"}',
    state: "done",
    approval: "not-needed",
    result: "[1] Employment contract.pdf, page 3\nDuring probation the notice period is two weeks.",
    durationMs: 12,
  }),
  call({ id: "long", state: "done", result: "x ".repeat(2000), resultOmitted: 41_234, durationMs: 2_340 }),
  call({ id: "denied", state: "denied" }),
  call({ id: "failed", state: "failed", result: "The tool server mail could not be used: it ended.", durationMs: 800 }),
  call({ id: "interrupted", state: "interrupted" }),
];

export const sampleToolAnswer: Message = {
  id: "answer",
  conversationId: "conversation",
  parentId: "question",
  role: "assistant",
  text: "I look that up.\n\nTwo weeks during probation, three months after it [1].",
  state: "complete",
  createdAt: "2026-11-24T12:00:00.000Z",
  model: null,
  steps: [{ textEnd: 15, calls: sampleCalls }],
  summary: { text: "Anna asked about her contract. It began on 1 March.", turns: 6, throughMessageId: "m6" },
  citations: [],
  retrieval: {
    found: 20,
    included: 8,
    omitted: 12,
    omittedTurns: 0,
    summarisedTurns: 6,
    omittedResults: 0,
    omittedTokens: 3_120,
    budgetTokens: 4_096,
  },
  timings: null,
  usage: null,
  finishReason: "stop",
  error: null,
  versions: ["answer"],
};

/** An answer that did not fit, in a conversation that stops then. */
export const sampleOverflow: Message = {
  ...sampleToolAnswer,
  id: "overflow",
  text: "",
  state: "failed",
  steps: [],
  summary: null,
  retrieval: null,
  finishReason: null,
  error: {
    code: "CONTEXT_OVERFLOW",
    message:
      "This conversation has 9,120 tokens, but this model has room for 7,168 beside the reply: choose what to leave out, or a model with a longer context.",
    data: {
      promptTokens: 9_120,
      replyTokens: 1_024,
      contextTokens: 8_192,
      choices: ["drop-oldest", "summarise", "shorter-documents"],
    },
  },
};

const description = (name: string, server: string | null, readOnly: boolean): ToolDescription => ({
  name,
  server,
  description: "Sends a mail in the name of the owner.",
  parameters: { type: "object", properties: { to: { type: "string" }, body: { type: "string" } }, required: ["to"] },
  readOnly,
});

export const sampleTools: ToolDescription[] = [
  description("search_documents", null, true),
  description("calculator", null, true),
  description("current_time", null, true),
  description("mail__send", "mail", false),
  description("mail__read", "mail", true),
];

const server = (given: Partial<ToolServer>, name: string): ToolServer => ({
  settings: {
    name,
    enabled: true,
    transport: { kind: "stdio", command: "npx", args: ["-y", "@example/mail-server"], env: { MAIL_TOKEN: null } },
    timeoutMs: 60_000,
  },
  state: "ready",
  error: null,
  tools: sampleTools.filter((tool) => tool.server === name),
  refused: [],
  ...given,
});

const outside = server({}, "weather");
export const sampleServers: ToolServer[] = [
  server({ refused: [{ name: "bulk", reason: 'the schema uses "not", which is not supported' }] }, "mail"),
  {
    ...outside,
    state: "failed",
    settings: {
      ...outside.settings,
      transport: { kind: "http", url: "https://weather.example/mcp", headers: {}, confirmedOutside: true },
    },
    error: {
      code: "TOOL_SERVER_FAILED",
      message: "The tool server weather could not be used: fetch failed (connect ECONNREFUSED)",
      data: { server: "weather", reason: "fetch failed" },
    },
  },
  (() => {
    const off = server({ state: "off" }, "files");
    return { ...off, settings: { ...off.settings, enabled: false } };
  })(),
];
