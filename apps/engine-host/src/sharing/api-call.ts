import { randomBytes } from "node:crypto";
import type { RequestClient } from "../models/models.ts";
import type { ApiServices } from "./api.ts";

/** One authenticated request to the API. */
export interface ApiCall {
  readonly request: Request;
  readonly services: ApiServices;
  /** Aborts when the caller is gone, however it went. */
  readonly signal: AbortSignal;
  /** Who asks. */
  readonly client: RequestClient;
  /** Who asks, with the priority the request names (null: the caller's own). */
  clientFor(priority: RequestClient["priority"] | null): RequestClient;
  /** Says which program wrote a reply, as OpenAI's system_fingerprint. */
  readonly fingerprint: string;
  newId(prefix: string): string;
  /** Logs a failure that was a bug. */
  noteFailure(thrown: unknown): void;
  /** The reply's stream is over. Unless it is complete, whatever still writes it stops. */
  end(how: "complete" | "failed" | "left" | "stalled"): void;
}

/** 24 characters after the prefix, as OpenAI's ids have about as many. */
export function newId(prefix: string): string {
  return `${prefix}${randomBytes(18).toString("base64url").replace(/[-_]/g, "0")}`;
}
