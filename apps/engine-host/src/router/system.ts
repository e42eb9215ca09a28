import { CorralError, PROTOCOL_VERSION } from "@corral/protocol";
import { procedure } from "./procedure.ts";

export const system = {
  handshake: procedure.system.handshake.handler(({ input, context }) => {
    if (input.protocolVersion !== PROTOCOL_VERSION) {
      throw new CorralError(
        "VERSION_MISMATCH",
        input.protocolVersion < PROTOCOL_VERSION
          ? "This page is older than the Corral it talks to. Reload it."
          : "This program is newer than the Corral that is running. Restart Corral.",
        { host: PROTOCOL_VERSION, client: input.protocolVersion },
      );
    }
    return context.services.description;
  }),
  access: procedure.system.access.handler(({ context }) => context.services.access()),
  doctor: procedure.system.doctor.handler(({ context, signal }) => context.services.doctor.check(signal)),
};
