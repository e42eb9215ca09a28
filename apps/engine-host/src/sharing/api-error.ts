import { CorralError } from "@corral/protocol";

/** What kind of failure it is; each API has its own word for each. */
export type ApiErrorKind =
  | "invalid"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "too-large"
  | "rate-limited"
  | "overloaded"
  | "unavailable"
  | "internal";

/** A failure as a program learns of it, before it takes the form of one API. */
export class ApiError extends Error {
  /** HTTP. */
  readonly status: number;
  readonly kind: ApiErrorKind;
  /** For programs, in OpenAI's words where they have one, for example "context_length_exceeded". */
  readonly code: string | null;
  /** The field that is wrong. */
  readonly param: string | null;
  /** Whole seconds; null: asking again will not help, or at once. */
  readonly retryAfterSeconds: number | null;

  constructor(
    kind: ApiErrorKind,
    message: string,
    details: { status?: number; code?: string | null; param?: string | null; retryAfterMs?: number } = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.kind = kind;
    this.status = details.status ?? statusOf[kind];
    this.code = details.code ?? null;
    this.param = details.param ?? null;
    this.retryAfterSeconds =
      details.retryAfterMs === undefined ? null : Math.max(1, Math.ceil(details.retryAfterMs / 1000));
  }
}

const statusOf: Record<ApiErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  "too-large": 413,
  "rate-limited": 429,
  overloaded: 503,
  unavailable: 503,
  internal: 500,
};

/** A request that is wrong in one field. @param param its path, for example "messages[2].content" */
export function invalid(param: string | null, message: string, code: string | null = null): ApiError {
  return new ApiError("invalid", message, { param, code });
}

/** Pause before a model that just crashed is asked again: its engine restarts after about a second. */
const crashRetryMs = 2_000;
/** A load that failed for lack of memory may work once somebody else is done. */
const memoryRetryMs = 30_000;

/** What a program is told about anything thrown. Bugs are masked; the caller logs them. */
export function apiErrorOf(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const { message } = CorralError.reportOf(thrown);
  if (!(thrown instanceof CorralError)) return new ApiError("internal", message, { code: "internal_error" });
  const error = thrown as CorralError;
  const data = error.data as { field?: string; retryAfterMs?: number };
  switch (error.code) {
    case "INVALID_INPUT":
      return invalid(data.field ?? null, message);
    case "CONTEXT_OVERFLOW":
      return invalid("messages", message, "context_length_exceeded");
    case "NO_SOURCES":
      return invalid("model", message, "no_sources");
    case "UNAUTHORIZED":
      return new ApiError("unauthorized", message, { code: "invalid_api_key" });
    case "MODEL_NOT_FOUND":
    case "NO_MODEL":
      return new ApiError("not-found", message, { code: "model_not_found", param: "model" });
    case "COLLECTION_NOT_FOUND":
      return new ApiError("not-found", message, { code: "collection_not_found", param: "corral.collections" });
    case "DOCUMENT_NOT_FOUND":
      return new ApiError("not-found", message, { code: "document_not_found", param: "corral.documents" });
    case "RATE_LIMITED":
      return new ApiError("rate-limited", message, {
        code: "rate_limit_exceeded",
        retryAfterMs: data.retryAfterMs ?? 1000,
      });
    case "QUEUE_FULL":
      return new ApiError("overloaded", message, { code: "overloaded", retryAfterMs: data.retryAfterMs ?? 1000 });
    case "MODEL_QUARANTINED":
      return new ApiError("unavailable", message, {
        code: "model_unavailable",
        param: "model",
        retryAfterMs: data.retryAfterMs ?? crashRetryMs,
      });
    case "ENGINE_CRASHED":
    case "MODEL_LOAD_FAILED":
    case "MODEL_FILE_INVALID":
    case "CANCELLED":
      return new ApiError("unavailable", message, { code: "model_unavailable", retryAfterMs: crashRetryMs });
    case "INSUFFICIENT_MEMORY":
      return new ApiError("unavailable", message, { code: "insufficient_memory", retryAfterMs: memoryRetryMs });
    default:
      return new ApiError("internal", message, { code: error.code.toLowerCase() });
  }
}
