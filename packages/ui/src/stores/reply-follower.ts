import type { ErrorReport, GenerationPart, Message, ToolStep } from "@corral/protocol";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";

/** What a reply is waiting for. `fraction` is 0..1, null when unknown; times in ms, null when unknown. */
export type ReplyProgress =
  | { readonly phase: "starting" }
  | { readonly phase: "loading-model"; readonly fraction: number | null }
  | { readonly phase: "queued"; readonly place: number | null; readonly estimateMs: number | null }
  | { readonly phase: "summarising" }
  | { readonly phase: "reading"; readonly fraction: number; readonly leftMs: number | null }
  /** A tool runs. */
  | { readonly phase: "tool" }
  /** A call waits for the user. */
  | { readonly phase: "approval" }
  /** The results are there and the model goes on. */
  | { readonly phase: "continuing" }
  | { readonly phase: "writing" };

/** A reply as far as it has been received. */
export interface LiveReply {
  readonly message: Message;
  readonly progress: ReplyProgress;
}

/** What the follower tells its owner. */
export interface FollowerEvents {
  /** A part arrived. */
  changed(reply: LiveReply): void;
  /** The reply is over; this is the message as stored. */
  finished(message: Message): void;
  /** The stream broke while the link was fine. */
  failed(messageId: string, error: ErrorReport): void;
}

/**
 * Follows replies as they are written, whichever conversation is open: a reply nobody follows is stopped by the host.
 * After a lost link it picks each of them up again where it is by then.
 */
export class ReplyFollower {
  readonly #connection: Connection;
  readonly #events: FollowerEvents;
  readonly #replies = new Map<string, LiveReply>();
  #link: AbortSignal = AbortSignal.abort();

  constructor(connection: Connection, events: FollowerEvents) {
    this.#connection = connection;
    this.#events = events;
    connection.whileReady(async (signal) => {
      this.#link = signal;
      await Promise.all([...this.#replies.keys()].map((id) => this.#read(id, signal)));
    });
  }

  /** The reply as received so far, if it is followed. */
  get(messageId: string): LiveReply | undefined {
    return this.#replies.get(messageId);
  }

  /** Starts to follow a reply; does nothing if it is followed already. */
  follow(message: Message): void {
    if (this.#replies.has(message.id)) return;
    this.#change({ message, progress: progressOf(message) });
    if (!this.#link.aborted) void this.#read(message.id, this.#link);
  }

  async #read(messageId: string, signal: AbortSignal): Promise<void> {
    try {
      const end = await readStream(
        (stop) => this.#connection.client.chat.follow({ messageId }, { signal: stop }),
        signal,
        (part) => this.#apply(messageId, part),
      );
      // Without a `finish` the host went away in an orderly fashion; the link will end next and bring us back.
      if (end === "ended" && this.#replies.has(messageId)) this.#fail(messageId, reportOf(new Error("no finish")));
    } catch (error) {
      this.#fail(messageId, reportOf(error));
    }
  }

  #apply(messageId: string, part: GenerationPart): void {
    if (part.type === "finish") {
      this.#replies.delete(messageId);
      this.#events.finished(part.message);
      return;
    }
    const reply = this.#replies.get(messageId);
    if (reply) this.#change(withPart(reply, part));
  }

  #change(reply: LiveReply): void {
    this.#replies.set(reply.message.id, reply);
    this.#events.changed(reply);
  }

  #fail(messageId: string, error: ErrorReport): void {
    this.#replies.delete(messageId);
    this.#events.failed(messageId, error);
  }
}

/** A reply with one more part of it received. */
function withPart({ message, progress }: LiveReply, part: Exclude<GenerationPart, { type: "finish" }>): LiveReply {
  switch (part.type) {
    case "snapshot":
      return { message: part.message, progress: progressOf(part.message, progress) };
    case "waiting":
      if (part.reason === "queue") {
        return {
          message,
          progress: { phase: "queued", place: part.place ?? null, estimateMs: part.estimateMs ?? null },
        };
      }
      if (part.reason === "summarising") return { message, progress: { phase: "summarising" } };
      return { message, progress: { phase: "loading-model", fraction: part.progress } };
    case "retrieval":
      return { message: { ...message, retrieval: part.report }, progress };
    case "summary":
      return { message: { ...message, summary: part.summary }, progress };
    case "prefill-progress":
      if (part.done >= part.total) return { message, progress: { phase: "writing" } };
      return {
        message,
        progress: { phase: "reading", fraction: part.done / part.total, leftMs: part.leftMs ?? null },
      };
    case "tool-call": {
      const changed = { ...message, steps: withCall(message.steps, part) };
      return { message: changed, progress: progressOf(changed) };
    }
    case "text-delta":
      return { message: { ...message, text: message.text + part.text }, progress: { phase: "writing" } };
    case "citation": {
      const others = message.citations.filter(({ number }) => number !== part.citation.number);
      const citations = [...others, part.citation].sort((a, b) => a.number - b.number);
      return { message: { ...message, citations }, progress };
    }
  }
}

/** What a reply waits for, as far as its message tells; else what it waited for before. */
function progressOf(message: Message, before: ReplyProgress = { phase: "starting" }): ReplyProgress {
  const step = message.steps.at(-1);
  // Words after the last step: the model has gone on already.
  if (step && step.textEnd >= message.text.length) {
    const states = step.calls.map(({ state }) => state);
    if (states.includes("pending-approval")) return { phase: "approval" };
    return { phase: states.includes("running") ? "tool" : "continuing" };
  }
  return message.text ? { phase: "writing" } : before;
}

/** The steps with a call added or in its new state. */
function withCall(
  steps: readonly ToolStep[],
  { step, textEnd, call }: Extract<GenerationPart, { type: "tool-call" }>,
): ToolStep[] {
  const calls = steps[step]?.calls ?? [];
  const at = calls.findIndex(({ id }) => id === call.id);
  const changed = { textEnd, calls: at < 0 ? [...calls, call] : calls.with(at, call) };
  return step < steps.length ? steps.with(step, changed) : [...steps, changed];
}
