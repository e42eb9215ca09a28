import { modelState } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { nextState, transitions, type LoadEvent, type LoadState } from "./model-states.ts";

const states = modelState.options.filter((state): state is LoadState => state !== "absent");
const events = [...new Set(states.flatMap((state) => Object.keys(transitions[state]) as LoadEvent[]))];

describe("the states of a model", () => {
  it("are all reached from unloaded, and all lead back to it", () => {
    const reached = new Set<LoadState>(["unloaded"]);
    for (const state of reached)
      for (const event of events) {
        const next = transitions[state][event];
        if (next) reached.add(next);
      }
    expect([...reached].toSorted()).toEqual(states.toSorted());
    for (const state of states) {
      const seen = new Set<LoadState>([state]);
      for (const from of seen) for (const next of Object.values(transitions[from])) seen.add(next);
      expect(seen, `from ${state}`).toContain("unloaded");
    }
  });

  it("go through a life in this order", () => {
    let state: LoadState = "unloaded";
    const life: LoadEvent[] = ["wanted", "started", "loaded", "taken", "taken", "released", "closed", "ended"];
    const seen = life.map((event) => (state = nextState(state, event)));
    expect(seen).toEqual(["pending", "loading", "idle", "ready", "ready", "idle", "unloading", "unloaded"]);
  });

  it("never change by what cannot happen", () => {
    expect(() => nextState("unloaded", "taken")).toThrow("unloaded");
    expect(() => nextState("quarantined", "wanted")).toThrow("quarantined");
    expect(() => nextState("ready", "loaded")).toThrow("ready");
  });

  it("end a crash in unloaded, wherever an engine can crash", () => {
    for (const state of ["idle", "ready", "unloading"] as const) expect(nextState(state, "crashed")).toBe("unloaded");
  });
});
