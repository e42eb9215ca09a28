import type { FailureReason } from "../ingestion/worker-channel.ts";

/** An expected failure of a parser. */
export class ParseFailure extends Error {
  readonly reason: FailureReason;
  constructor(reason: FailureReason, options?: ErrorOptions) {
    super(reason.kind === "unreadable" ? reason.reason : reason.kind, options);
    this.name = "ParseFailure";
    this.reason = reason;
  }
}

/** Shorthand for a damaged or mislabelled file. */
export function unreadable(reason: string, cause?: unknown): ParseFailure {
  return new ParseFailure({ kind: "unreadable", reason }, cause === undefined ? undefined : { cause });
}
