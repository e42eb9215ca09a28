import { z } from "zod";
import { overflowChoice } from "./overflow.ts";

/**
 * Every failure Corral expects, with the data a person or program needs to act on it.
 * Anything thrown that is not one of these is a bug: it is logged and reaches the caller masked, as `INTERNAL`.
 */
export const errorData = {
  /** The request itself is wrong: which field, and why. */
  INVALID_INPUT: z.object({ field: z.string().optional(), reason: z.string() }),
  /** The page or program speaks another protocol version than the host. */
  VERSION_MISMATCH: z.object({ host: z.number(), client: z.number() }),
  UNAUTHORIZED: z.object({}),

  UNSUPPORTED_FILE_TYPE: z.object({ file: z.string(), type: z.string(), supported: z.array(z.string()) }),
  EMPTY_FILE: z.object({ file: z.string() }),
  FILE_NOT_FOUND: z.object({ file: z.string() }),
  FILE_TOO_LARGE: z.object({ file: z.string(), bytes: z.number(), limitBytes: z.number() }),
  FILE_PASSWORD_PROTECTED: z.object({ file: z.string() }),
  /** The file is damaged or is not what its name says. */
  FILE_UNREADABLE: z.object({ file: z.string(), reason: z.string() }),
  /** The file was readable but holds no text (for example a scanned PDF without a text layer). */
  FILE_WITHOUT_TEXT: z.object({ file: z.string() }),
  /** The document was read, except for these parts (each "NAME (reason)"). */
  FILE_PARTLY_READ: z.object({ file: z.string(), parts: z.array(z.string()) }),
  /** Parsing was stopped by a limit on time (ms), memory (bytes) or output (characters). */
  PARSE_LIMIT: z.object({ file: z.string(), limit: z.enum(["time", "memory", "output"]) }),

  COLLECTION_NOT_FOUND: z.object({ collection: z.string() }),
  COLLECTION_EXISTS: z.object({ collection: z.string() }),
  DOCUMENT_NOT_FOUND: z.object({ document: z.string() }),
  CONVERSATION_NOT_FOUND: z.object({ conversation: z.string() }),
  MESSAGE_NOT_FOUND: z.object({ message: z.string() }),
  /** A reply is already being written in this conversation. */
  CONVERSATION_BUSY: z.object({ conversation: z.string() }),

  MODEL_NOT_FOUND: z.object({ model: z.string() }),
  /** No model is installed at all; searching still works. */
  NO_MODEL: z.object({}),
  /** The GGUF file is empty, cut short or malformed. */
  MODEL_FILE_INVALID: z.object({ file: z.string(), reason: z.string() }),
  MODEL_LOAD_FAILED: z.object({ model: z.string(), reason: z.string() }),
  /** The model's worker crashed too often; it is left alone for a while. */
  MODEL_QUARANTINED: z.object({ model: z.string(), retryAfterMs: z.number() }),
  /** The worker running the model died while it was answering. */
  ENGINE_CRASHED: z.object({ model: z.string() }),
  INSUFFICIENT_MEMORY: z.object({
    devices: z.array(z.object({ id: z.string(), name: z.string(), neededBytes: z.number(), freeBytes: z.number() })),
  }),
  /** Prompt plus room for the reply exceed the context; nothing was cut. All in tokens. */
  CONTEXT_OVERFLOW: z.object({
    promptTokens: z.number(),
    replyTokens: z.number(),
    contextTokens: z.number(),
    /** Settings of the conversation with which it would fit. */
    choices: z.array(overflowChoice).optional(),
  }),
  /** Too many requests are waiting already; nothing was started. */
  QUEUE_FULL: z.object({ queued: z.number(), retryAfterMs: z.number() }),
  /** This person or key has had its share for now. */
  RATE_LIMITED: z.object({ limit: z.string(), retryAfterMs: z.number() }),
  /** The model can only quote documents, and the conversation has none attached. */
  NO_SOURCES: z.object({ model: z.string() }),

  TOOL_SERVER_NOT_FOUND: z.object({ server: z.string() }),
  TOOL_SERVER_EXISTS: z.object({ server: z.string() }),
  /** The MCP server could not be started or reached, or it stopped. */
  TOOL_SERVER_FAILED: z.object({ server: z.string(), reason: z.string() }),
  /** The address lies outside of this machine and its private network, and the owner has not confirmed it. */
  OUTSIDE_ADDRESS: z.object({ address: z.string() }),
  /** No call of this id waits for a decision. */
  TOOL_CALL_NOT_FOUND: z.object({ call: z.string() }),

  DATA_DIRECTORY_NOT_WRITABLE: z.object({ directory: z.string(), reason: z.string() }),
  DATA_DIRECTORY_IN_USE: z.object({
    directory: z.string(),
    pid: z.number(),
    since: z.string(),
    address: z.string().optional(),
  }),
  /** The data directory was written by a newer Corral; it is left untouched. */
  DATA_DIRECTORY_NEWER: z.object({ directory: z.string(), schema: z.number(), supported: z.number() }),
  PORT_IN_USE: z.object({ port: z.number() }),
  DISK_FULL: z.object({ directory: z.string(), neededBytes: z.number().optional(), freeBytes: z.number().optional() }),
  /** No host is running and this command needs one, or the running host stopped answering. */
  HOST_UNREACHABLE: z.object({ address: z.string() }),
  /** The caller stopped the work. */
  CANCELLED: z.object({}),
  INTERNAL: z.object({}),
} as const;

export type ErrorCode = keyof typeof errorData;
export type ErrorDataOf<Code extends ErrorCode> = z.infer<(typeof errorData)[Code]>;

export const errorCodes = Object.keys(errorData) as ErrorCode[];

/** An error as it is stored beside a message or document and printed by `--json`. */
export const errorReport = z.object({
  code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
  /** One sentence for a person: what happened and what to do. */
  message: z.string(),
  data: z.unknown().optional(),
});
export type ErrorReport = z.infer<typeof errorReport>;

/** An expected failure. `message` is one sentence for a person: what happened and what to do next. */
export class CorralError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly data: ErrorDataOf<Code>;
  constructor(code: Code, message: string, data: ErrorDataOf<Code>, options?: ErrorOptions) {
    super(message, options);
    this.name = "CorralError";
    this.code = code;
    this.data = data;
  }

  /** The serialisable form. */
  report(): ErrorReport {
    return { code: this.code, message: this.message, data: this.data };
  }

  /** Turns anything thrown into a report: expected errors as they are, bugs masked as INTERNAL. */
  static reportOf(thrown: unknown): ErrorReport {
    if (thrown instanceof CorralError) return thrown.report();
    return { code: "INTERNAL", message: "Something went wrong inside Corral. The log has the details.", data: {} };
  }
}
