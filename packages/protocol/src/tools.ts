import { z } from "zod";
import { errorReport } from "./errors.ts";

/** Engine turns of one reply that may call tools; the next one has to answer. */
export const maxToolSteps = 8;

/**
 * pending-approval: the user is asked. denied: it did not run, because the user said no or the reply ended while it waited.
 * interrupted: the reply ended while it ran, so what it did is not known.
 */
export const toolCallState = z.enum(["pending-approval", "running", "done", "denied", "failed", "interrupted"]);
export type ToolCallState = z.infer<typeof toolCallState>;

/**
 * Why a call may run, or why the user is asked. not-needed: a tool of Corral's own that only reads. given: allowed for the
 * whole conversation. ask: a tool of an MCP server. ask-each-time: besides, text from documents or tools is in the prompt,
 * and whoever wrote it might be behind the call: allowing it for the whole conversation is not enough.
 */
export const toolApproval = z.enum(["not-needed", "given", "ask", "ask-each-time"]);
export type ToolApproval = z.infer<typeof toolApproval>;

/** What the user answers when asked about a call. */
export const toolDecision = z.enum(["once", "always", "deny"]);
export type ToolDecision = z.infer<typeof toolDecision>;

export const toolCall = z.object({
  /** Unique within its reply. */
  id: z.string(),
  /** The tool as the model names it. */
  name: z.string(),
  /** The MCP server it belongs to; null: one of Corral's own. */
  server: z.string().nullable(),
  /** Exactly what the model wrote, JSON text. */
  arguments: z.string(),
  state: toolCallState,
  approval: toolApproval,
  /** What the model was told of the result; null: there is none (yet). Never trusted, shown as plain text. */
  result: z.string().nullable(),
  /** Characters of the result that were left out because it was too long. */
  resultOmitted: z.number().int(),
  /** How long it ran. */
  durationMs: z.number().nullable(),
});
export type ToolCall = z.infer<typeof toolCall>;

/** One turn of the model that ended with calls. */
export const toolStep = z.object({
  /** Where in the message's text (UTF-16) this turn's words end and its calls stand. */
  textEnd: z.number().int(),
  calls: z.array(toolCall),
});
export type ToolStep = z.infer<typeof toolStep>;

/** A tool that may run without asking in one conversation. */
export const allowedTool = z.object({
  name: z.string().max(200),
  /** Hash of the tool's definition and of its server's settings: a tool that changed is asked about again. */
  fingerprint: z.string().max(100),
});
export type AllowedTool = z.infer<typeof allowedTool>;

/** A tool as it can be switched on for a conversation. Words of an MCP server's tools are the server's. */
export const toolDescription = z.object({
  name: z.string(),
  server: z.string().nullable(),
  description: z.string(),
  /** JSON Schema of the arguments. */
  parameters: z.record(z.string(), z.unknown()),
  /** It only reads; of an MCP server's tool: so the server says. */
  readOnly: z.boolean(),
});
export type ToolDescription = z.infer<typeof toolDescription>;

const secretName = z.string().min(1).max(200);
/** Values are kept but never told again: null stands for "set", and going in for "as it was". */
const secrets = z.record(secretName, z.string().max(100_000).nullable());

export const toolServerName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/u);

/** An MCP server: how it is reached. */
export const toolServerSettings = z.object({
  /** Small letters, digits and hyphens; the names of its tools begin with it. */
  name: toolServerName,
  enabled: z.boolean(),
  transport: z.discriminatedUnion("kind", [
    /** A program that is started on the host and spoken to over its standard input and output. */
    z.object({
      kind: z.literal("stdio"),
      command: z.string().min(1).max(4096),
      args: z.array(z.string().max(32_768)).max(200),
      /** Added to a minimal environment. */
      env: secrets,
    }),
    z.object({
      kind: z.literal("http"),
      url: z.url({ protocol: /^https?$/u }).max(4096),
      headers: secrets,
      /** The owner knows that it lies outside of this machine and its private network, and where. */
      confirmedOutside: z.boolean(),
    }),
  ]),
  /** Longest time one call may take. */
  timeoutMs: z.number().int().min(1000).max(3_600_000),
});
export type ToolServerSettings = z.infer<typeof toolServerSettings>;

export const toolServer = z.object({
  settings: toolServerSettings,
  state: z.enum(["off", "starting", "ready", "failed"]),
  /** Why it failed. */
  error: errorReport.nullable(),
  tools: z.array(toolDescription),
  /** Tools of the server that cannot be used, and why. */
  refused: z.array(z.object({ name: z.string(), reason: z.string() })),
});
export type ToolServer = z.infer<typeof toolServer>;
