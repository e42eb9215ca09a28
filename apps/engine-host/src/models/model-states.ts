import type { ModelState } from "@corral/protocol";

/** What a model can be doing; whether its file is there is the library's business. */
export type LoadState = Exclude<ModelState, "absent">;

export type LoadEvent =
  /** Somebody needs it. */
  | "wanted"
  /** Its turn to load has come, and there is room. */
  | "started"
  | "loaded"
  /** Nobody wants the load any more. */
  | "withdrawn"
  | "failed"
  /** Somebody uses it. */
  | "taken"
  /** The last one who used it gave it back. */
  | "released"
  /** Its engine is being ended. */
  | "closed"
  /** Its engine ended as it was told to. */
  | "ended"
  /** Its engine ended by itself. */
  | "crashed"
  /** It crashed too often. */
  | "quarantined"
  | "quarantine-over";

/** From each state, what can happen and where that leads. Anything else is a mistake in this program. */
export const transitions: Record<LoadState, Partial<Record<LoadEvent, LoadState>>> = {
  unloaded: { wanted: "pending", quarantined: "quarantined" },
  pending: { started: "loading", withdrawn: "unloaded", failed: "unloaded" },
  loading: { loaded: "idle", withdrawn: "unloaded", failed: "unloaded" },
  idle: { taken: "ready", closed: "unloading", crashed: "unloaded" },
  // Closed while in use: the host ends.
  ready: { taken: "ready", released: "idle", closed: "unloading", crashed: "unloaded" },
  unloading: { released: "unloading", ended: "unloaded", crashed: "unloaded" },
  quarantined: { "quarantine-over": "unloaded" },
};

/** @throws Error for what cannot happen */
export function nextState(state: LoadState, event: LoadEvent): LoadState {
  const next = transitions[state][event];
  if (next === undefined) throw new Error(`A model that is ${state} cannot be ${event}.`);
  return next;
}
