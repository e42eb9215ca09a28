import { CorralError, errorCodes, type ErrorCode } from "@corral/protocol";
import { ORPCError, ValidationError } from "@orpc/server";
import type { Logger } from "../logger.ts";

/**
 * Turns whatever a procedure threw into what the caller may see: expected errors as the contract declares them, wrong
 * input as INVALID_INPUT with the field, cancellation as CANCELLED, and everything else logged here and masked as
 * INTERNAL.
 */
export function toCallError(
  thrown: unknown,
  call: { procedure: string; signal: AbortSignal | undefined; log: Logger },
): Error {
  if (thrown instanceof CorralError) return declared(thrown);
  if (thrown instanceof ORPCError && isErrorCode(thrown.code)) return thrown;
  if (thrown instanceof ORPCError && thrown.code === "BAD_REQUEST" && thrown.cause instanceof ValidationError) {
    return declared(invalidInput(thrown.cause));
  }
  if (call.signal?.aborted) return declared(new CorralError("CANCELLED", "The request was cancelled.", {}));
  const cause =
    thrown instanceof ORPCError && thrown.cause instanceof ValidationError ? describe(thrown.cause) : undefined;
  call.log.error("procedure failed", { procedure: call.procedure, ...(cause ? { cause } : {}) }, thrown);
  return declared(CorralError.reportOf(thrown));
}

function declared(error: { code: ErrorCode; message: string; data?: unknown }): Error {
  return new ORPCError(error.code, { message: error.message, data: error.data ?? {} });
}

function invalidInput(validation: ValidationError): CorralError {
  const issue = validation.issues[0];
  const field = fieldOf(issue);
  const reason = issue?.message ?? "it has the wrong form";
  const message = `The request is not valid${field ? ` (${field})` : ""}: ${reason}.`;
  return new CorralError("INVALID_INPUT", message, { ...(field ? { field } : {}), reason });
}

/** Paths and messages only: the values themselves may hold somebody's text. */
function describe(validation: ValidationError): string {
  return validation.issues
    .slice(0, 5)
    .map((issue) => `${fieldOf(issue)}: ${issue.message}`)
    .join("; ");
}

function fieldOf(issue: ValidationError["issues"][number] | undefined): string {
  return (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
}

function isErrorCode(code: string): code is ErrorCode {
  return (errorCodes as string[]).includes(code);
}
