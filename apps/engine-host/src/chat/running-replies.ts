import { CorralError, type GenerationPart, type Message, type ToolStep } from "@corral/protocol";
import type { Clock } from "./clock.ts";
import { ReplyFollower } from "./reply-follower.ts";
import { PendingApprovals } from "./tools/approval.ts";

/** ms a reply goes on without anybody following it: enough for a page to reload, short enough to free the GPU. */
const unfollowedGraceMs = 10_000;

/** A part of a reply on its way; the first and the last part come from the reply itself. */
export type LivePart = Exclude<GenerationPart, { type: "snapshot" | "finish" }>;

/** Why a reply was ended early. */
export type StopReason = "stopped" | "unfollowed" | "shutdown";

/** Writes one reply to its end and answers the message as it was stored. `signal.reason` is a StopReason. */
export type WriteReply = (reply: RunningReply, signal: AbortSignal) => Promise<Message>;

/** A reply that is being written, and those who follow it. */
export class RunningReply {
  /** The reply so far. */
  message: Message;
  /** The calls of it that wait for the user. */
  readonly approvals = new PendingApprovals();
  /** Settles when the reply is stored and everybody was told. Never rejects. */
  readonly done: Promise<void>;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #followers = new Set<ReplyFollower>();
  #finished = false;
  #cancelGrace: () => void = () => {};

  constructor(message: Message, clock: Clock, write: WriteReply) {
    this.message = message;
    this.#clock = clock;
    this.#startGrace();
    this.done = this.#run(write);
  }

  /** Adds a part to the reply and tells every follower. */
  publish(part: LivePart): void {
    const { message } = this;
    if (part.type === "text-delta") this.message = { ...message, text: message.text + part.text };
    if (part.type === "citation") {
      // One that turned out to be unsupported takes its own place again.
      const others = message.citations.filter(({ number }) => number !== part.citation.number);
      this.message = { ...message, citations: [...others, part.citation].sort((a, b) => a.number - b.number) };
    }
    if (part.type === "retrieval") this.message = { ...message, retrieval: part.report };
    if (part.type === "summary") this.message = { ...message, summary: part.summary };
    if (part.type === "tool-call") this.message = { ...message, steps: withCall(message.steps, part) };
    for (const follower of this.#followers) follower.push(part);
  }

  async *follow(signal: AbortSignal): AsyncGenerator<GenerationPart, void> {
    const follower = new ReplyFollower({ type: "snapshot", message: this.message });
    if (this.#finished) {
      follower.push({ type: "finish", message: this.message });
      follower.end();
    } else {
      this.#followers.add(follower);
      this.#cancelGrace();
    }
    const leave = () => {
      if (this.#followers.delete(follower) && this.#followers.size === 0) this.#startGrace();
    };
    // Also on abort: a follower that was cut off may never ask for its next part.
    signal.addEventListener("abort", leave);
    try {
      yield* follower.parts(signal);
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
    }
  }

  stop(reason: StopReason): void {
    this.#stop.abort(reason);
  }

  async #run(write: WriteReply): Promise<void> {
    // Not in the constructor's own turn, so that whoever starts a reply has it registered before anything is written.
    await Promise.resolve();
    this.message = await write(this, this.#stop.signal);
    this.#finished = true;
    this.#cancelGrace();
    for (const follower of this.#followers) {
      follower.push({ type: "finish", message: this.message });
      follower.end();
    }
    this.#followers.clear();
  }

  #startGrace(): void {
    this.#cancelGrace();
    this.#cancelGrace = this.#clock.after(unfollowedGraceMs, () => this.stop("unfollowed"));
  }
}

/** The replies being written now: at most one in a conversation. */
export class RunningReplies implements AsyncDisposable {
  readonly #clock: Clock;
  /** By conversation; null: about to start. */
  readonly #replies = new Map<string, RunningReply | null>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Keeps a conversation to one reply, from the storing of the question on: `prepare` stores it and answers the empty
   * reply, which is then written.
   * @throws CorralError CONVERSATION_BUSY
   */
  async start<Prepared extends { reply: Message }>(
    conversationId: string,
    prepare: () => Promise<Prepared & { write: WriteReply }>,
  ): Promise<Prepared> {
    if (this.#closed)
      throw new CorralError("CANCELLED", "Corral is shutting down; ask again once it has restarted.", {});
    if (this.#replies.has(conversationId)) {
      throw new CorralError(
        "CONVERSATION_BUSY",
        "A reply is still being written in this conversation: wait for it or stop it, then ask again.",
        { conversation: conversationId },
      );
    }
    this.#replies.set(conversationId, null);
    try {
      const prepared = await prepare();
      const reply = new RunningReply(prepared.reply, this.#clock, prepared.write);
      this.#replies.set(conversationId, reply);
      void reply.done.then(() => this.#replies.delete(conversationId));
      if (this.#closed) reply.stop("shutdown");
      return prepared;
    } catch (error) {
      this.#replies.delete(conversationId);
      throw error;
    }
  }

  find(messageId: string): RunningReply | null {
    for (const reply of this.#replies.values()) if (reply?.message.id === messageId) return reply;
    return null;
  }

  inConversation(conversationId: string): RunningReply | null {
    return this.#replies.get(conversationId) ?? null;
  }

  /** Interrupts every reply and waits until what there is of it is stored. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const replies = [...this.#replies.values()].filter((reply) => reply !== null);
    for (const reply of replies) reply.stop("shutdown");
    await Promise.all(replies.map((reply) => reply.done));
  }
}

/** The steps with a call added or in its new state. */
function withCall(steps: ToolStep[], { step, textEnd, call }: Extract<LivePart, { type: "tool-call" }>): ToolStep[] {
  const calls = steps[step]?.calls ?? [];
  const at = calls.findIndex(({ id }) => id === call.id);
  const changed = { textEnd, calls: at < 0 ? [...calls, call] : calls.with(at, call) };
  return step < steps.length ? steps.with(step, changed) : [...steps, changed];
}
