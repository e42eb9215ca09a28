import { procedure, signalOf, stream } from "./procedure.ts";

const { snapshot, watch } = procedure.hardware;

export const hardware = {
  snapshot: snapshot.handler(({ context, signal }) => context.services.hardware.snapshot(signal)),
  watch: watch.handler(({ context, signal }) => stream(context.services.hardware.watch(signalOf(signal)))),
};
