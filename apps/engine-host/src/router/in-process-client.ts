import type { CorralClient } from "@corral/protocol";
import { createRouterClient } from "@orpc/server";
import type { Services } from "./context.ts";
import { router } from "./router.ts";

/** Calls the procedures of a host in this process, as its owner, without a wire. */
export function createInProcessClient(services: Services): CorralClient {
  return createRouterClient(router, { context: { peer: { role: "owner" }, services } });
}
