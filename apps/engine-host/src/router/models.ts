import { procedure, signalOf, stream } from "./procedure.ts";

const { list, watch, add, remove, plan, planFor, matrix, load, unload } = procedure.models;

export const models = {
  list: list.handler(({ context }) => context.services.models.list()),
  watch: watch.handler(({ context, signal }) => stream(context.services.models.watch(signalOf(signal)))),
  add: add.handler(({ input, context }) => context.services.models.add(input.path)),
  remove: remove.handler(({ input, context }) => context.services.models.remove(input.model)),
  plan: plan.handler(({ input, context }) => context.services.models.plan(input.model)),
  planFor: planFor.handler(({ input, context, signal }) => context.services.planner.planFor(input, signalOf(signal))),
  matrix: matrix.handler(({ input, context, signal }) => context.services.planner.matrix(input, signalOf(signal))),
  load: load.handler(({ input, context, signal }) => context.services.models.load(input.model, signalOf(signal))),
  unload: unload.handler(({ input, context }) => context.services.models.unload(input.model)),
};
