import type { ServingChanges, ServingSettings, UserLimits } from "@corral/protocol";

/** The limits of a user as they are typed; empty: no limit. */
export interface LimitsDraft {
  readonly concurrent: string;
  readonly queued: string;
  readonly tokensPerMinute: string;
  readonly tokensPerDay: string;
  readonly weight: string;
}

/** Serving settings as the form holds them. Empty texts mean null. */
export interface ServingDraft {
  readonly defaultModel: string;
  readonly embeddingModel: string;
  readonly rerankModel: string;
  /** Null: what the embedding model is known to need. */
  readonly prefixes: { readonly query: string; readonly document: string } | null;
  /** ms; "never". */
  readonly keepAlive: string;
  readonly parallelReplies: string;
  /** Bytes. */
  readonly stateBudget: string;
  readonly queueLimit: string;
  readonly owner: LimitsDraft;
  readonly others: LimitsDraft;
}

const text = (value: number | null) => (value === null ? "" : String(value));

export function draftOf(settings: ServingSettings): ServingDraft {
  return {
    defaultModel: settings.defaultModel ?? "",
    embeddingModel: settings.embeddingModel ?? "",
    rerankModel: settings.rerankModel ?? "",
    prefixes: settings.embeddingPrefixes,
    keepAlive: settings.keepAliveMs === null ? "never" : String(settings.keepAliveMs),
    parallelReplies: text(settings.parallelReplies),
    stateBudget: text(settings.stateBudgetBytes),
    queueLimit: String(settings.queueLimit),
    owner: limitsDraft(settings.ownerLimits),
    others: limitsDraft(settings.otherLimits),
  };
}

/** What the draft changes of the settings; null: something in it is no number. */
export function changesOf(draft: ServingDraft, settings: ServingSettings): ServingChanges | null {
  const ownerLimits = limitsOf(draft.owner);
  const otherLimits = limitsOf(draft.others);
  const queueLimit = wholeNumber(draft.queueLimit);
  if (!ownerLimits || !otherLimits || queueLimit === null) return null;
  const wanted: ServingChanges = {
    defaultModel: draft.defaultModel || null,
    embeddingModel: draft.embeddingModel || null,
    rerankModel: draft.rerankModel || null,
    embeddingPrefixes: draft.prefixes,
    keepAliveMs: draft.keepAlive === "never" ? null : Number(draft.keepAlive),
    parallelReplies: draft.parallelReplies === "" ? null : Number(draft.parallelReplies),
    stateBudgetBytes: draft.stateBudget === "" ? null : Number(draft.stateBudget),
    queueLimit,
    ownerLimits,
    otherLimits,
  };
  const changed = Object.entries(wanted).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(settings[key as keyof ServingSettings]),
  );
  return Object.fromEntries(changed);
}

/** A whole number of 1 or more; null: it is none. */
export function wholeNumber(typed: string): number | null {
  const value = Number(typed.trim());
  return typed.trim() !== "" && Number.isInteger(value) && value >= 1 ? value : null;
}

/** A share beside others; null: it is none. */
export function share(typed: string): number | null {
  const value = Number(typed.trim().replace(",", "."));
  return typed.trim() !== "" && value >= 0.01 && value <= 100 ? value : null;
}

function limitsDraft(limits: UserLimits): LimitsDraft {
  return {
    concurrent: text(limits.concurrent),
    queued: String(limits.queued),
    tokensPerMinute: text(limits.tokensPerMinute),
    tokensPerDay: text(limits.tokensPerDay),
    weight: String(limits.weight),
  };
}

function limitsOf(draft: LimitsDraft): UserLimits | null {
  const optional = (typed: string) => (typed.trim() === "" ? null : (wholeNumber(typed) ?? Number.NaN));
  const queued = wholeNumber(draft.queued);
  const weight = share(draft.weight);
  if (queued === null || weight === null) return null;
  const limits = {
    concurrent: optional(draft.concurrent),
    queued,
    tokensPerMinute: optional(draft.tokensPerMinute),
    tokensPerDay: optional(draft.tokensPerDay),
    weight,
  };
  return Object.values(limits).some(Number.isNaN) ? null : limits;
}
