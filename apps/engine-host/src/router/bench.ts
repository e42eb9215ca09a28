import { procedure, signalOf, stream } from "./procedure.ts";

const { reports, run } = procedure.bench;

export const bench = {
  reports: reports.handler(({ context }) => context.services.benchmark.reports()),
  run: run.handler(({ input, context, signal }) =>
    stream(context.services.benchmark.run(input.model, signalOf(signal))),
  ),
};
