import { contract, CorralError } from "@corral/protocol";
import { AsyncIteratorClass, implement } from "@orpc/server";
import type { CallContext, Peer } from "./context.ts";
import { toCallError } from "./call-errors.ts";

const base = implement(contract).$context<CallContext>();

/** Whether a peer may call a procedure. The owner may do everything; other kinds of peer get their list here. */
function mayCall(peer: Peer, _procedure: readonly string[]): boolean {
  return peer.role === "owner";
}

/** The implementer every area uses: authorises the peer and maps errors, those of streams included. */
export const procedure = base.use(async ({ context, next, path, signal }) => {
  const call = { procedure: path.join("."), signal, log: context.services.log };
  try {
    if (!mayCall(context.peer, path)) {
      throw new CorralError("UNAUTHORIZED", "You are not allowed to do this on this host.", {});
    }
    const result = await next();
    return isEventIterator(result.output) ? { ...result, output: mapErrors(result.output, call) } : result;
  } catch (thrown) {
    throw toCallError(thrown, call);
  }
});

function isEventIterator(value: unknown): value is AsyncIterator<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** The same stream with its errors mapped. Ending it ends the inner one at once, even while a value is awaited. */
function mapErrors(inner: AsyncIterator<unknown>, call: Parameters<typeof toCallError>[1]) {
  const map = async <T>(step: Promise<T> | undefined) => {
    try {
      return await step;
    } catch (thrown) {
      throw toCallError(thrown, call);
    }
  };
  return new AsyncIteratorClass(
    async () => (await map(inner.next())) ?? { done: true, value: undefined },
    async () => void (await map(inner.return?.())),
  );
}

/** The signal of a call; a call made inside this process may come without one. */
export function signalOf(signal: AbortSignal | undefined): AbortSignal {
  return signal ?? new AbortController().signal;
}

/**
 * The stream of a service as oRPC wants it. oRPC asks for an iterator that can be ended from outside; ending it runs the
 * service's own clean-up.
 */
export async function* stream<T>(source: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  yield* source;
}
