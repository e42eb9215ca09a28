import type { Chat } from "../chat/chat.ts";
import type { Hardware } from "../hardware/hardware.ts";
import type { Library } from "../ingestion/library.ts";
import type { Logger } from "../logger.ts";
import type { McpServers } from "../mcp/mcp.ts";
import type { Benchmark } from "../models/benchmark.ts";
import type { Models } from "../models/models.ts";
import type { Planner } from "../models/planner.ts";
import type { EmbeddingJob } from "../retrieval/embedding-job.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { DoctorCheck, HostDescription, ProgramAccess } from "@corral/protocol";

/** Who is on the other end of a link. Set by the transport from what it verified, never from what the other end says. */
export interface Peer {
  /** owner: a program of the user who runs this host, on this machine. */
  role: "owner";
}

/** What the procedures work on. */
export interface Services {
  readonly description: HostDescription;
  readonly hardware: Hardware;
  readonly models: Models;
  readonly planner: Pick<Planner, "planFor" | "matrix">;
  readonly benchmark: Pick<Benchmark, "reports" | "run">;
  readonly library: Library;
  readonly retrieval: Retrieval;
  readonly embedding: Pick<EmbeddingJob, "watch" | "pause">;
  readonly chat: Chat;
  readonly mcp: McpServers;
  readonly doctor: { check(signal?: AbortSignal): Promise<DoctorCheck[]> };
  /** How other programs on this machine reach the APIs. */
  access(): ProgramAccess;
  readonly log: Logger;
}

/** Every call's context. A type, as oRPC wants an indexable one. */
export type CallContext = { peer: Peer; services: Services };
