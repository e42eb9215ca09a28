import { procedure, signalOf, stream } from "./procedure.ts";

const { list, watch, add, remove, plan, planFor, matrix, load, unload, activity, settings, configure } =
  procedure.models;

export const models = {
  list: list.handler(({ context }) => context.services.models.list()),
  watch: watch.handler(({ context, signal }) => stream(context.services.models.watch(signalOf(signal)))),
  add: add.handler(({ input: { path, inPassing = false }, context }) =>
    context.services.models.add(path, { inPassing }),
  ),
  remove: remove.handler(({ input, context }) => context.services.models.remove(input.model)),
  plan: plan.handler(({ input, context }) => context.services.models.plan(input.model)),
  planFor: planFor.handler(({ input, context, signal }) => context.services.planner.planFor(input, signalOf(signal))),
  matrix: matrix.handler(({ input, context, signal }) => context.services.planner.matrix(input, signalOf(signal))),
  load: load.handler(({ input, context, signal }) => context.services.models.load(input.model, signalOf(signal))),
  unload: unload.handler(({ input, context }) => context.services.models.unload(input.model)),
  activity: activity.handler(({ context, signal }) => stream(context.services.models.watchActivity(signalOf(signal)))),
  settings: settings.handler(({ context }) => context.services.models.settings()),
  configure: configure.handler(({ input, context }) => context.services.models.configure(input)),
};
