import { CorralError, type PlanSlots, type UserLimits } from "@corral/protocol";
import type { EnginePart, GenerateRequest, GenerationStatistics, LoadedModel } from "../engines/engine.ts";
import { PartQueue } from "../engines/part-queue.ts";
import { abortable, cancelled, type Clock } from "./abortable.ts";
import { AdmissionQueue, type Ticket } from "./admission-queue.ts";
import { costOf } from "./fair-share.ts";
import type { ModelStatistics } from "./model-statistics.ts";
import type { RequestClient, ScheduledPart } from "./models.ts";
import { promptSize } from "./prompt-size.ts";
import { ServiceTimes, expectedStarts } from "./service-times.ts";
import type { TokenUsage } from "./token-usage.ts";

/** What may wait, and who may take how much. */
export interface QueueRules {
  /** Requests of all users that may wait. */
  queueLimit: number;
  limitsOf(user: string): UserLimits;
}

export interface SchedulerOptions {
  model: LoadedModel;
  slots: readonly PlanSlots[];
  clock: Clock;
  /** Shared by all models. */
  usage: TokenUsage;
  statistics: ModelStatistics;
  rules: () => QueueRules;
  /** Told when the queue or the slots changed. */
  changed: () => void;
}

/** The engine ended while a request waited: nothing of it was done, so it can be made again. */
export class PlaceLost extends Error {
  constructor() {
    super("The engine ended before the request had its turn.");
    this.name = "PlaceLost";
  }
}

/** What a retry is told to wait while nothing was measured yet, ms. */
const unknownRetryMs = 5_000;
/** A retry sooner than this would only be refused again, ms. */
const leastRetryMs = 1_000;
/** While somebody waits, waiting times and the patience of batch requests are looked at so often, ms. */
const reviewMs = 1_000;

/** A request on its way through the scheduler. */
interface Request {
  ticket: Ticket;
  promptTokens: number;
  room: number;
  /** Written so far, tokens. */
  written: number;
  /** The engine has it. */
  isStarted: boolean;
  /** Resolved and replaced when its place, its estimate or its admission changed. */
  wake: PromiseWithResolvers<void>;
  place: number;
  estimateMs: number | null;
}

/** Admits requests to the slots of one loaded model, fairly (see admission-queue.ts), and tells those who wait where they are. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #queue: AdmissionQueue;
  readonly #times = new ServiceTimes();
  readonly #requests = new Map<Ticket, Request>();
  readonly #closed = new AbortController();
  /** Requests being measured for the queue, by user. */
  readonly #arriving = new Map<string, number>();
  /** Callers refused since there was last a place free: each is told a later moment. */
  #refused = 0;
  #isReviewing = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#queue = new AdmissionQueue(options.slots);
    void options.model.ended.then(() => this.#closed.abort());
  }

  /**
   * Generates one reply in its turn. Aborting takes a waiting request out of the queue at once and stops a running one; the
   * stream then ends with `finish` of reason "cancelled".
   * @throws CorralError QUEUE_FULL, RATE_LIMITED, CONTEXT_OVERFLOW, ENGINE_CRASHED @throws PlaceLost
   */
  async *generate(
    request: GenerateRequest,
    client: RequestClient,
    signal: AbortSignal,
  ): AsyncGenerator<ScheduledPart, void> {
    const { clock, statistics } = this.#options;
    const arrived = clock.now();
    this.#refuse(client.user, arrived);
    const leave = new AbortController();
    const until = AbortSignal.any([signal, leave.signal]);
    let entry: Request | null = null;
    // Also of a reader that was cut off and never asks for its next part.
    const withdraw = () => this.#withdraw(entry);
    signal.addEventListener("abort", withdraw);
    try {
      entry = await this.#enqueue(request, client, until);
      yield* this.#untilAdmitted(entry, until);
      if (signal.aborted) throw cancelled();
      entry.isStarted = true;
      statistics.queueWait.note(clock.now() - arrived);
      const parts = new PartQueue<EnginePart>();
      void this.#run(entry, request, arrived, until, parts);
      yield* parts.read();
    } catch (error) {
      if (!signal.aborted) throw error;
      if (!entry?.isStarted) statistics.counters.cancelled++;
      yield { type: "finish", reason: "cancelled", statistics: { ...nothing, promptTokens: entry?.promptTokens ?? 0 } };
    } finally {
      // Whoever stopped reading wants no more of it.
      leave.abort();
      signal.removeEventListener("abort", withdraw);
      this.#withdraw(entry);
    }
  }

  /** By context size, largest first. */
  get slots(): { contextSize: number; total: number; busy: number }[] {
    return this.#queue.slots
      .map(({ contextSize, count }) => ({ contextSize, total: count, busy: this.#queue.busy(contextSize) }))
      .toReversed();
  }

  get running(): number {
    return this.#queue.running.size;
  }

  get queued(): number {
    return this.#queue.waiting.length;
  }

  /** What a request that came now would wait, ms; null: nothing was measured yet. */
  get waitMs(): number | null {
    return this.#starts()?.at(-1) ?? null;
  }

  /** Tokens in the slots that are busy. */
  get kvUsedTokens(): number {
    let sum = 0;
    for (const { ticket, promptTokens, written } of this.#requests.values()) {
      if (ticket.slot !== null) sum += promptTokens + written;
    }
    return sum;
  }

  get tokensPerSecond(): { prefill: number | null; decode: number | null } {
    return this.#times.tokensPerSecond;
  }

  /** Says no before anything was done. */
  #refuse(user: string, now: number): void {
    const { usage, rules, statistics } = this.#options;
    const { queueLimit, limitsOf } = rules();
    const limits = limitsOf(user);
    const exhausted = usage.exhausted(user, limits, now);
    if (exhausted) {
      statistics.counters.refusedRateLimited++;
      const per = exhausted.limit === "tokens-per-day" ? "day" : "minute";
      const message = `Your share of tokens per ${per} is used up. Try again in ${inWords(exhausted.retryAfterMs)}.`;
      throw new CorralError("RATE_LIMITED", message, exhausted);
    }
    const arriving = this.#arriving.get(user) ?? 0;
    const allArriving = [...this.#arriving.values()].reduce((sum, count) => sum + count, 0);
    // Of those being measured, as many as there are free slots will not wait.
    const { free } = this.#queue;
    if (this.#queue.waitingOf(user) + arriving >= limits.queued + free) {
      statistics.counters.refusedRateLimited++;
      const retryAfterMs = this.#retryAfterMs(this.#starts(user)?.[0] ?? null);
      const message = `You have ${limits.queued} requests waiting already. Try again in ${inWords(retryAfterMs)}.`;
      throw new CorralError("RATE_LIMITED", message, { limit: "queued-requests", retryAfterMs });
    }
    const queued = this.queued + allArriving;
    if (queued >= queueLimit + free) {
      statistics.counters.refusedQueueFull++;
      const starts = this.#starts();
      const retryAfterMs = this.#retryAfterMs(starts?.at(Math.min(this.#refused, starts.length - 1)) ?? null);
      this.#refused++;
      const message = `${queued} requests are waiting for this model already. Try again in ${inWords(retryAfterMs)}.`;
      throw new CorralError("QUEUE_FULL", message, { queued, retryAfterMs });
    }
    this.#refused = 0;
  }

  #retryAfterMs(expected: number | null): number {
    return Math.max(leastRetryMs, Math.ceil(expected ?? unknownRetryMs));
  }

  async #enqueue(request: GenerateRequest, client: RequestClient, signal: AbortSignal): Promise<Request> {
    const { model, clock, usage, rules } = this.#options;
    if (signal.aborted) throw cancelled();
    const { user, priority } = client;
    const room = request.maxTokens;
    this.#arriving.set(user, (this.#arriving.get(user) ?? 0) + 1);
    let promptTokens: number;
    try {
      const smallest = this.#queue.slots[0]?.contextSize ?? 0;
      promptTokens = await abortable(promptSize(model, request, smallest, signal), signal);
    } finally {
      const left = (this.#arriving.get(user) ?? 1) - 1;
      if (left > 0) this.#arriving.set(user, left);
      else this.#arriving.delete(user);
    }
    const tokens = promptTokens + room;
    if (tokens > this.#queue.largest) throw overflow(promptTokens, room, this.#queue.largest);
    const limits = rules().limitsOf(user);
    const now = clock.now();
    const ticket = this.#queue.enqueue(
      {
        user,
        priority,
        weight: client.weight ?? limits.weight,
        tokens,
        cost: costOf(promptTokens, this.#times.writtenTokens(room)),
        concurrent: limits.concurrent ?? Infinity,
      },
      now,
    );
    usage.note(user, promptTokens, now);
    const wake = Promise.withResolvers<void>();
    const entry: Request = {
      ticket,
      promptTokens,
      room,
      written: 0,
      isStarted: false,
      wake,
      place: 0,
      estimateMs: null,
    };
    this.#requests.set(ticket, entry);
    this.#admit();
    return entry;
  }

  async *#untilAdmitted(entry: Request, signal: AbortSignal): AsyncGenerator<ScheduledPart, void> {
    const until = AbortSignal.any([signal, this.#closed.signal]);
    let told: string | null = null;
    while (entry.ticket.slot === null) {
      if (this.#closed.signal.aborted) throw new PlaceLost();
      const { place, estimateMs, wake } = entry;
      const now = `${place} ${estimateMs}`;
      if (now !== told) {
        yield { type: "queued", place, estimateMs };
        told = now;
        continue;
      }
      await abortable(wake.promise, until).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
    }
  }

  /** Runs to its end whether or not anybody reads: a slow reader must not keep the slot. */
  async #run(
    entry: Request,
    request: GenerateRequest,
    arrived: number,
    signal: AbortSignal,
    parts: PartQueue<EnginePart>,
  ): Promise<void> {
    const { model, clock, statistics } = this.#options;
    let end: Extract<EnginePart, { type: "finish" }> | null = null;
    let hasBegun = false;
    try {
      for await (const part of model.generate(request, signal)) {
        if (part.type === "text-delta" || part.type === "tool-call") {
          if (!hasBegun) statistics.timeToFirstToken.note(clock.now() - arrived);
          hasBegun = true;
        }
        if (part.type === "text-delta") entry.written += part.tokens;
        if (part.type === "finish") {
          end = part;
          // Before the reader hears of it, so that whoever reads the end finds the slot free.
          this.#release(entry, end);
        }
        parts.push(part);
      }
      parts.close();
    } catch (error) {
      parts.fail(error);
    } finally {
      if (!end) this.#release(entry, null);
    }
  }

  #release(entry: Request, end: Extract<EnginePart, { type: "finish" }> | null): void {
    const { clock, usage, statistics } = this.#options;
    const { ticket, promptTokens: expected, written } = entry;
    if (!this.#requests.delete(ticket)) return;
    const { promptTokens, cachedTokens, completionTokens } = end?.statistics ?? {
      promptTokens: expected,
      cachedTokens: 0,
      completionTokens: written,
    };
    const now = clock.now();
    const read = promptTokens - cachedTokens;
    usage.note(ticket.user, read + completionTokens - expected, now);
    if (end && end.reason !== "cancelled") this.#times.note(end.statistics);
    const { counters } = statistics;
    counters.promptTokens += promptTokens;
    counters.cachedTokens += cachedTokens;
    counters.completionTokens += completionTokens;
    counters[end === null ? "failed" : end.reason === "cancelled" ? "cancelled" : "completed"]++;
    this.#queue.finish(ticket, costOf(read, completionTokens), now);
    this.#admit();
  }

  /** Takes a request that was never started out of the queue, or out of the slot it was just given. */
  #withdraw(entry: Request | null): void {
    if (!entry || entry.isStarted || !this.#requests.delete(entry.ticket)) return;
    const { ticket, promptTokens } = entry;
    const now = this.#options.clock.now();
    this.#options.usage.note(ticket.user, -promptTokens, now);
    if (ticket.slot === null) this.#queue.withdraw(ticket);
    else this.#queue.finish(ticket, 0, now);
    this.#wake(entry);
    this.#admit();
  }

  #admit(): void {
    const { clock, changed } = this.#options;
    if (!this.#closed.signal.aborted) {
      for (;;) {
        const ticket = this.#queue.admitNext(clock.now());
        if (!ticket) break;
        this.#wake(this.#requests.get(ticket));
      }
    }
    this.#tellPlaces();
    changed();
    void this.#review();
  }

  #tellPlaces(): void {
    if (this.queued === 0) return;
    const starts = this.#starts();
    for (const [index, ticket] of this.#queue.order(this.#options.clock.now()).entries()) {
      const entry = this.#requests.get(ticket);
      if (!entry) continue;
      const estimateMs = starts ? Math.round(starts[index] ?? 0) : null;
      if (entry.place === index + 1 && !differs(entry.estimateMs, estimateMs)) continue;
      entry.place = index + 1;
      entry.estimateMs = estimateMs;
      this.#wake(entry);
    }
  }

  /** Some things change with time alone. */
  async #review(): Promise<void> {
    if (this.#isReviewing) return;
    this.#isReviewing = true;
    try {
      while (this.queued > 0 && !this.#closed.signal.aborted) {
        await this.#options.clock.sleep(reviewMs, this.#closed.signal);
        this.#admit();
      }
    } catch {
      // Closed.
    } finally {
      this.#isReviewing = false;
    }
  }

  #wake(entry: Request | undefined): void {
    entry?.wake.resolve();
    if (entry) entry.wake = Promise.withResolvers<void>();
  }

  /** @param user only of this user's requests, with the time until one more would start last */
  #starts(user?: string): number[] | null {
    const now = this.#options.clock.now();
    const starts = expectedStarts(this.#queue, now, (ticket) => {
      const entry = this.#requests.get(ticket);
      return entry ? this.#times.durationMs(entry.promptTokens, entry.room) : 0;
    });
    if (user === undefined || !starts) return starts;
    return this.#queue.order(now).flatMap((ticket, index) => (ticket.user === user ? (starts[index] ?? []) : []));
  }
}

const nothing: GenerationStatistics = {
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  prefillMs: 0,
  decodeMs: 0,
};

/** Whether an estimate changed enough to be told again: by a second, and by a tenth. */
function differs(told: number | null, now: number | null): boolean {
  if (told === null || now === null) return told !== now;
  return Math.abs(told - now) >= Math.max(1000, told / 10);
}

function overflow(promptTokens: number, replyTokens: number, contextTokens: number): CorralError<"CONTEXT_OVERFLOW"> {
  const message = `The prompt (${promptTokens} tokens) and room for the reply (${replyTokens}) exceed the model's context of ${contextTokens} tokens. Shorten the question, attach fewer sources or ask for a shorter reply.`;
  return new CorralError("CONTEXT_OVERFLOW", message, { promptTokens, replyTokens, contextTokens });
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}
