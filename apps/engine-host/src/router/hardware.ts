import { procedure } from "./procedure.ts";

export const hardware = {
  snapshot: procedure.hardware.snapshot.handler(({ context, signal }) => context.services.hardware.snapshot(signal)),
};
