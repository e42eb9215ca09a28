import type { ApiError, ApiErrorKind } from "../api-error.ts";

const types: Record<ApiErrorKind, string> = {
  invalid: "invalid_request_error",
  unauthorized: "invalid_request_error",
  forbidden: "invalid_request_error",
  "not-found": "invalid_request_error",
  "too-large": "invalid_request_error",
  "rate-limited": "rate_limit_error",
  overloaded: "server_error",
  unavailable: "server_error",
  internal: "server_error",
};

/** A failure in OpenAI's form. */
export function errorBody({ kind, message, param, code }: ApiError) {
  return { error: { message, type: types[kind], param, code } };
}

/** OpenAI has no 413: a request that is too large is simply a bad one. */
export function statusOf({ kind, status }: ApiError): number {
  return kind === "too-large" ? 400 : status;
}
