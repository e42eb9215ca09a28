import { maxToolSteps, type Citation, type SearchHit, type Timings, type Usage } from "@corral/protocol";
import type { EngineToolCall } from "../engines/engine.ts";
import type { ModelLease, ScheduledPart } from "../models/models.ts";
import { continueAnswer, planAnswer, type AnswerPlan, type PlanInput } from "./answer-plan.ts";
import { CitationBinder } from "./citations.ts";
import type { ReplyServices, ReplyTask } from "./generate-reply.ts";
import { replyRoom } from "./grounded-prompt.ts";
import { PrefillEstimate } from "./prefill-estimate.ts";
import type { ProgressSaver } from "./progress-saver.ts";
import { ReplyStatistics } from "./reply-timings.ts";
import type { RunningReply } from "./running-replies.ts";
import { isTainted } from "./tools/approval.ts";
import { longestResult, runCalls } from "./tools/run-calls.ts";
import { toolsOf } from "./tools/tool-set.ts";
import type { Tool } from "./tools/tool.ts";

/** What an answer came to. */
export interface Outcome {
  model: string | null;
  timings: Timings | null;
  usage: Usage | null;
  finishReason: "stop" | "length" | null;
  /** Null: those published on the way. */
  citations: Citation[] | null;
}

/** Characters of a token, at the least: for results, whose tokens are counted only when they are in the prompt. */
const charactersPerToken = 3;

/** The model could not be had, so nothing was written. */
export class NoModelError extends Error {}

/**
 * Writes one answer: turns of the model until one calls no tool. Each turn holds the model only while it is planned and
 * written, so that a call that waits for the user keeps nobody else from loading another.
 */
export class AnswerWriter {
  readonly #task: ReplyTask;
  readonly #services: ReplyServices;
  readonly #reply: RunningReply;
  readonly #saver: ProgressSaver;
  readonly #outcome: Outcome;
  readonly #signal: AbortSignal;
  readonly #started: number;
  readonly #statistics = new ReplyStatistics();
  readonly #input: PlanInput;
  #tools: Tool[] = [];
  #plan: AnswerPlan | null = null;
  #binder: CitationBinder | null = null;
  #timeToFirstTokenMs = 0;
  /** Characters all results of the next step may have together. */
  #resultRoom = 0;

  constructor(
    task: ReplyTask,
    services: ReplyServices,
    reply: RunningReply,
    saver: ProgressSaver,
    outcome: Outcome,
    signal: AbortSignal,
  ) {
    this.#task = task;
    this.#services = services;
    this.#reply = reply;
    this.#saver = saver;
    this.#outcome = outcome;
    this.#signal = signal;
    this.#started = services.clock.now();
    this.#input = { ...task, question: task.question.text };
  }

  /** @throws NoModelError (cause: why), else as `planAnswer` and `ModelLease.generate` */
  async write(): Promise<void> {
    for (let calls = await this.#writeTurn(); calls.length > 0; calls = await this.#writeTurn()) await this.#run(calls);
    for (const citation of (await this.#binder?.finish()) ?? []) this.#reply.publish({ type: "citation", citation });
  }

  /** Writes a turn of the model; answers the calls it made. */
  async #writeTurn(): Promise<EngineToolCall[]> {
    await using lease = await this.#acquire();
    this.#outcome.model = lease.summary.id;
    const plan = await this.#planTurn(lease);
    if (typeof plan.request === "string") {
      await this.#say(plan.request);
      this.#finish(lease, "stop");
      return [];
    }
    const isLast = this.#reply.message.steps.length >= maxToolSteps;
    const request = { ...plan.request, cacheOwner: this.#task.reply.conversationId };
    if (isLast && request.tools !== undefined) request.toolChoice = "none";
    const calls: EngineToolCall[] = [];
    const prefill = new PrefillEstimate();
    let hasWords = false;
    for await (const part of lease.generate(request, this.#signal)) {
      if (part.type === "queued") this.#publishQueued(part);
      else if (part.type === "prefill-progress") {
        const { done, total } = part;
        const leftMs = prefill.leftMs(done, total, this.#services.clock.now());
        this.#reply.publish({ type: "prefill-progress", done, total, leftMs });
      } else if (part.type === "text-delta") {
        if (!hasWords && this.#reply.message.text !== "" && part.text !== "") await this.#say("\n\n");
        hasWords ||= part.text !== "";
        await this.#say(part.text);
      } else if (part.type === "tool-call") {
        if (!isLast) calls.push(this.#withOwnId(part.call, calls));
      } else {
        this.#statistics.add(part.statistics);
        lease.noteSpeed(part.statistics);
        const { contextSize } = lease.model.facts;
        const { promptTokens, completionTokens } = part.statistics;
        const free =
          contextSize - promptTokens - completionTokens - replyRoom(this.#input.settings.sampling, contextSize);
        this.#resultRoom = Math.max(free, contextSize / 4) * charactersPerToken;
        if (calls.length === 0 && part.reason !== "cancelled") {
          this.#finish(lease, part.reason === "length" ? "length" : "stop");
        }
      }
    }
    return calls;
  }

  async #acquire(): Promise<ModelLease> {
    const { models } = this.#services;
    const onWaiting = (progress: number | null) =>
      this.#reply.publish({ type: "waiting", reason: "model-loading", progress });
    const isFirst = this.#plan === null;
    try {
      const model = isFirst ? this.#task.settings.model : this.#outcome.model;
      return await models.acquire(model, { signal: this.#signal, onWaiting });
    } catch (error) {
      throw isFirst ? new NoModelError("no model", { cause: error }) : error;
    }
  }

  async #planTurn(lease: ModelLease): Promise<AnswerPlan> {
    const { store, retrieval, clock } = this.#services;
    const before = this.#plan;
    let plan: AnswerPlan;
    if (before?.prompt) {
      plan = await continueAnswer({ ...before, prompt: before.prompt }, this.#reply.message, lease.model, this.#signal);
    } else {
      this.#tools = lease.summary.ability === "chat" ? toolsOf(this.#task.settings, this.#services.mcp) : [];
      const tools = this.#tools.map(({ definition }) => definition);
      const onPart = (part: ScheduledPart) =>
        part.type === "queued"
          ? this.#publishQueued(part)
          : this.#reply.publish({ type: "waiting", reason: "summarising", progress: null });
      const summary = { cacheOwner: this.#task.reply.conversationId, onPart };
      const parts = { store, retrieval, now: () => clock.now(), summary };
      plan = await planAnswer({ ...this.#input, tools }, lease, parts, this.#signal);
      this.#binder = new CitationBinder(plan.passages, this.#input.question, store);
      if (plan.summary !== null) this.#reply.publish({ type: "summary", summary: plan.summary });
    }
    if (plan.report !== null && plan.report !== before?.report) {
      this.#reply.publish({ type: "retrieval", report: plan.report });
    }
    this.#plan = plan;
    return plan;
  }

  async #say(text: string): Promise<void> {
    if (this.#timeToFirstTokenMs === 0) this.#timeToFirstTokenMs = this.#services.clock.now() - this.#started;
    this.#reply.publish({ type: "text-delta", text });
    this.#saver.changed(this.#reply.message);
    for (const citation of (await this.#binder?.push(text)) ?? []) this.#reply.publish({ type: "citation", citation });
  }

  #publishQueued({ place, estimateMs }: Extract<ScheduledPart, { type: "queued" }>): void {
    this.#reply.publish({ type: "waiting", reason: "queue", progress: null, place, estimateMs });
  }

  #finish(lease: ModelLease, reason: "stop" | "length"): void {
    const totalMs = this.#services.clock.now() - this.#started;
    const timeToFirstTokenMs = this.#timeToFirstTokenMs || totalMs;
    const retrievalMs = this.#plan?.retrievalMs ?? 0;
    this.#outcome.timings = this.#statistics.timings({ totalMs, timeToFirstTokenMs, retrievalMs });
    if (typeof this.#plan?.request !== "string") this.#outcome.usage = this.#statistics.usage(lease.model);
    this.#outcome.finishReason = reason;
  }

  /** A call of a name no other call of the reply has, as engines number them anew in each turn. */
  #withOwnId(call: EngineToolCall, others: EngineToolCall[]): EngineToolCall {
    const earlier = this.#reply.message.steps.flatMap(({ calls }) => calls);
    const taken = new Set([...earlier, ...others].map(({ id }) => id));
    let id = call.id;
    for (let number = 2; taken.has(id); number++) id = `${call.id}-${number}`;
    return { ...call, id };
  }

  async #run(calls: EngineToolCall[]): Promise<void> {
    const { store, retrieval, clock, logger } = this.#services;
    const { conversationId } = this.#task.reply;
    const step = this.#reply.message.steps.length;
    const textEnd = this.#reply.message.text.length;
    const { settings } = await store.conversations.get(conversationId);
    await runCalls(calls, {
      tools: this.#tools,
      context: {
        sources: this.#task.settings.sources,
        retrieval,
        number: (passages) => this.#number(passages),
        now: new Date(),
        signal: this.#signal,
      },
      approvals: this.#reply.approvals,
      allowed: settings.tools.allowed,
      tainted: isTainted([...this.#task.history, this.#reply.message]),
      resultLimit: Math.max(200, Math.min(longestResult, Math.floor(this.#resultRoom / calls.length))),
      clock,
      onChange: async (call) => {
        this.#reply.publish({ type: "tool-call", step, textEnd, call });
        await this.#saver.saveNow(this.#reply.message);
      },
      onAlways: async (tool) => {
        const { tools } = (await store.conversations.get(conversationId)).settings;
        const others = tools.allowed.filter(({ name }) => name !== tool.name);
        await store.conversations.configure(conversationId, { tools: { ...tools, allowed: [...others, tool] } });
      },
      onBug: (name, error) => logger.error("tool-failed", { tool: name }, error),
    });
  }

  #number(hits: SearchHit[]): number[] {
    return this.#binder?.add(hits.map((hit) => ({ hit, shown: null }))) ?? [];
  }
}

/** Why an answer failed, for those who only tell. */
export function causeOf(error: unknown): unknown {
  return error instanceof NoModelError ? error.cause : error;
}
