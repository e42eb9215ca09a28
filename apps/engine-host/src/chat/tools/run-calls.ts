import { CorralError, type AllowedTool, type ToolCall, type ToolDecision } from "@corral/protocol";
import { ZodError } from "zod";
import type { EngineToolCall } from "../../engines/engine.ts";
import type { Clock } from "../clock.ts";
import { approvalOf } from "./approval.ts";
import type { PendingApprovals } from "./approval.ts";
import { ToolFailure, type Tool, type ToolContext } from "./tool.ts";

/** Calls of one turn of the model; more are refused. */
const mostCalls = 16;

/** Characters of a result; more is left out, which the result says. */
export const longestResult = 20_000;

/** What a row of calls is run with. */
export interface CallOptions {
  tools: Tool[];
  context: ToolContext;
  approvals: PendingApprovals;
  /** Tools the user allowed for the conversation. */
  allowed: AllowedTool[];
  /** Text from a document or a tool is in the prompt the calls come from. */
  tainted: boolean;
  /** Characters a result may have here, at most `longestResult`. */
  resultLimit: number;
  clock: Clock;
  /** Told each call's state; resolves when it is on disk, which is awaited before a tool runs. */
  onChange(call: ToolCall): Promise<void>;
  /** The user allows this tool for the whole conversation. */
  onAlways(tool: AllowedTool): Promise<void>;
  /** Told what went wrong with a tool where the model is told less. */
  onBug(name: string, error: unknown): void;
}

/**
 * Runs the calls of one turn, side by side; each that needs it waits for the user first. A call that cannot be made is
 * answered with why, so that the model can go on. Rejects only when the signal aborts or a state cannot be saved.
 */
export async function runCalls(calls: EngineToolCall[], options: CallOptions): Promise<void> {
  // All are told first, in the model's order, so that none is lost when one of them ends the reply.
  const prepared: Prepared[] = [];
  for (const [at, call] of calls.entries()) {
    const next = at < mostCalls ? prepare(call, options) : refuse(call, `More than ${mostCalls} calls at once.`);
    prepared.push(next);
    await options.onChange(next.call);
  }
  await Promise.all(prepared.map((one) => finish(one, options)));
}

interface Prepared {
  call: ToolCall;
  /** Null: it will not run. */
  ready: { tool: Tool; args: Record<string, unknown>; decision: Promise<ToolDecision> | null } | null;
}

function prepare(call: EngineToolCall, { tools, allowed, tainted, approvals, context }: CallOptions): Prepared {
  const tool = tools.find(({ definition }) => definition.name === call.name);
  if (tool === undefined) return refuse(call, `There is no tool "${call.name}".`);
  const args = argumentsOf(call);
  if (args === null) return refuse(call, "The arguments are not a JSON object.", tool);
  const approval = approvalOf(tool, { tainted, allowed });
  const asks = approval === "ask" || approval === "ask-each-time";
  const state = asks ? "pending-approval" : "running";
  // Waits from before anybody is told, so that the quickest answer finds it.
  const decision = asks ? approvals.wait(call.id, context.signal) : null;
  // Awaited later; a reply that ends before is no error of its own.
  decision?.catch(() => undefined);
  return { call: { ...newCall(call, tool.server), approval, state }, ready: { tool, args, decision } };
}

function refuse(call: EngineToolCall, result: string, tool?: Tool): Prepared {
  return { call: { ...newCall(call, tool?.server ?? null), state: "failed", result }, ready: null };
}

function newCall({ id, name, arguments: args }: EngineToolCall, server: string | null): ToolCall {
  return {
    id,
    name,
    server,
    arguments: args,
    state: "running",
    approval: "not-needed",
    result: null,
    resultOmitted: 0,
    durationMs: null,
  };
}

function argumentsOf({ arguments: text }: EngineToolCall): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

async function finish({ call, ready }: Prepared, options: CallOptions): Promise<void> {
  if (ready === null) return;
  const { tool, args } = ready;
  const { signal } = options.context;
  if (ready.decision !== null) {
    const decision = await ready.decision;
    if (decision === "deny") return options.onChange({ ...call, state: "denied" });
    if (decision === "always" && call.approval === "ask") {
      await options.onAlways({ name: tool.definition.name, fingerprint: tool.fingerprint });
    }
    call = { ...call, state: "running" };
    await options.onChange(call);
  }
  signal.throwIfAborted();
  const started = options.clock.now();
  const { text, failed } = await resultOf(tool, args, options);
  // What came back after the reply was stopped is of no use to it; that the call ran stays on record.
  signal.throwIfAborted();
  await options.onChange({
    ...call,
    ...bounded(text, Math.min(longestResult, options.resultLimit)),
    state: failed ? "failed" : "done",
    durationMs: options.clock.now() - started,
  });
}

async function resultOf(tool: Tool, args: Record<string, unknown>, { context, onBug }: CallOptions) {
  try {
    return await tool.run(args, context);
  } catch (error) {
    if (error instanceof ZodError) {
      const issue = error.issues[0];
      return { text: `Wrong arguments: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}.`, failed: true };
    }
    if (error instanceof ToolFailure || error instanceof CorralError) return { text: error.message, failed: true };
    if (!context.signal.aborted) onBug(tool.definition.name, error);
    return { text: "The tool failed inside Corral.", failed: true };
  }
}

/** The beginning of a result, as long as it may be, and how much was left out; the text says so too. */
function bounded(text: string, limit: number): { result: string; resultOmitted: number } {
  if (text.length <= limit) return { result: text, resultOmitted: 0 };
  // Not between the halves of a surrogate pair.
  const end = /[\uD800-\uDBFF]/u.test(text[limit - 1] ?? "") ? limit - 1 : limit;
  const resultOmitted = text.length - end;
  return {
    result: `${text.slice(0, end)}\n[The result goes on: ${resultOmitted} more characters were left out.]`,
    resultOmitted,
  };
}
