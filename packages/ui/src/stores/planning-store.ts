import type {
  ErrorReport,
  FitMatrix,
  FitMatrixRequest,
  LoadPlan,
  PlanHardware,
  PlanPins,
  PlanPreference,
  PrecisionTier,
} from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { latestWins } from "./latest-wins.ts";

/** What a plan is asked for. */
export interface PlanWishes {
  /** Tokens. */
  readonly contextSize: number;
  readonly users: number;
  readonly preference: PlanPreference;
  /** Left free on each device, bytes. */
  readonly reserveBytes: number;
}

/** One cell of the fit matrix. */
export interface ModelAndTier {
  readonly model: string;
  readonly tier: PrecisionTier;
}

export interface PlanningState {
  readonly wishes: PlanWishes;
  /** A machine in words ("8x H100 80GB") to plan for; "" is the host's own. */
  readonly machine: string;
  /** Why the last machine that was described cannot be planned for. */
  readonly machineError: ErrorReport | null;
  /** The cell that was chosen by hand; null follows the recommendation. */
  readonly chosen: ModelAndTier | null;
  /** The alternative that was taken instead of what the planner chose. */
  readonly pins: PlanPins | null;
  readonly matrix: FitMatrix | null;
  /** The machine `matrix` and `plan` are for, as `machine`. */
  readonly plannedMachine: string;
  /** Of the chosen cell with the pins. Stays until the next one is here. */
  readonly plan: LoadPlan | null;
  /** The same without the pins: its alternatives are the choices there are. */
  readonly unpinned: LoadPlan | null;
  readonly error: ErrorReport | null;
  /** Plans for the host's machine as it is now. */
  setHardware(hardware: PlanHardware): void;
  setWishes(change: Partial<PlanWishes>): void;
  setMachine(machine: string): void;
  choose(cell: ModelAndTier | null): void;
  pin(pins: PlanPins | null): void;
  /** Plans again each time the host can be reached. @returns the function that stops it */
  watch(): () => void;
}

/** What fits on a machine, and how a model would be loaded there. Loads nothing. */
export function createPlanningStore(connection: Connection): StoreApi<PlanningState> {
  const { models } = connection.client;
  let hardware: PlanHardware | null = null;

  const store = createStore<PlanningState>()((_set, get) => ({
    wishes: { contextSize: 131_072, users: 1, preference: "balanced", reserveBytes: 2 ** 30 },
    machine: "",
    machineError: null,
    chosen: null,
    pins: null,
    matrix: null,
    plannedMachine: "",
    plan: null,
    unpinned: null,
    error: null,
    setHardware: (now) => {
      hardware = now;
      ask();
    },
    setWishes: (change) => {
      const { wishes, pins } = get();
      // The context that was wished for last is the one that counts.
      const kept = pins && change.contextSize !== undefined ? { ...pins, contextSize: undefined } : pins;
      update({ wishes: { ...wishes, ...change }, pins: kept });
    },
    setMachine: (machine) => update({ machine, machineError: null, chosen: null, pins: null }),
    choose: (chosen) => update({ chosen, pins: null }),
    pin: (pins) => update({ pins }),
    watch: () =>
      connection.whileReady(() => {
        ask();
        return Promise.resolve();
      }),
  }));

  function update(change: Partial<PlanningState>): void {
    store.setState(change);
    ask();
  }

  const ask = latestWins(async () => {
    const { machine } = store.getState();
    // Read once and handed over with each call: reading it anew at each move of a slider takes too long.
    if (!machine && !hardware) return;
    try {
      await plan();
    } catch (error) {
      const report = reportOf(error);
      if (machine && report.code === "INVALID_INPUT" && store.getState().machine === machine) {
        store.setState(({ plannedMachine }) => ({ machine: plannedMachine, machineError: report }));
      } else {
        store.setState({ error: report });
      }
    }
  });

  async function plan(): Promise<void> {
    const { wishes, machine, chosen, pins, matrix } = store.getState();
    const request: FitMatrixRequest = { ...wishes, ...(machine ? { gpus: machine } : { hardware: hardware! }) };
    const planFor = async (cell: ModelAndTier | null | undefined) => {
      if (!cell) return { plan: null, unpinned: null };
      const { model, tier } = cell;
      const [unpinned, pinned] = await Promise.all([
        models.planFor({ ...request, model, pins: { tier } }),
        pins && models.planFor({ ...request, model, pins }),
      ]);
      return { plan: pinned ?? unpinned, unpinned };
    };
    // The plan is there at once; the matrix takes many plans.
    const expected = chosen ?? matrix?.recommended;
    const [plans, next] = await Promise.all([planFor(expected), models.matrix(request)]);
    const wanted = chosen ?? next.recommended ?? next.cells[0];
    const isExpected = wanted?.model === expected?.model && wanted?.tier === expected?.tier;
    store.setState({
      ...(isExpected ? plans : await planFor(wanted)),
      matrix: next,
      plannedMachine: machine,
      error: null,
    });
  }

  return store;
}
