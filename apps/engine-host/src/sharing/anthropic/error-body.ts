import type { ApiError, ApiErrorKind } from "../api-error.ts";

const types: Record<ApiErrorKind, string> = {
  invalid: "invalid_request_error",
  unauthorized: "authentication_error",
  forbidden: "permission_error",
  "not-found": "not_found_error",
  "too-large": "request_too_large",
  "rate-limited": "rate_limit_error",
  overloaded: "overloaded_error",
  unavailable: "api_error",
  internal: "api_error",
};

/** A failure in Anthropic's form. */
export function errorBody({ kind, message }: ApiError, requestId: string | null) {
  const error = { type: "error" as const, error: { type: types[kind], message } };
  return requestId === null ? error : { ...error, request_id: requestId };
}
