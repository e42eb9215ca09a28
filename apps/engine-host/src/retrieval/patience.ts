/** What came of using a model: the value, or why there is none. */
export type Outcome<Value> = { value: Value } | { error: unknown } | "out-of-time";

/**
 * Uses a model for at most `ms`, its loading included. A model that is not loaded by then goes on being loaded, so that the
 * next one to ask finds it ready, and is given back as soon as it is.
 * @param use is given a signal that aborts when time is up
 * @throws what the signal aborts with, nothing else
 */
export async function useWithin<Model extends AsyncDisposable, Value>(
  acquired: Promise<Model>,
  ms: number,
  signal: AbortSignal,
  use: (model: Model, signal: AbortSignal) => Promise<Value>,
): Promise<Outcome<Value>> {
  const timeIsUp = AbortSignal.timeout(Math.max(0, Math.round(ms)));
  const stop = AbortSignal.any([signal, timeIsUp]);
  const work = async () => {
    await using model = await acquired;
    stop.throwIfAborted();
    return { value: await use(model, stop) };
  };
  const stopped = Promise.withResolvers<never>();
  const onAbort = () => stopped.reject(stop.reason as Error);
  if (stop.aborted) onAbort();
  stop.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(), stopped.promise]);
  } catch (error) {
    signal.throwIfAborted();
    return timeIsUp.aborted ? "out-of-time" : { error };
  } finally {
    stop.removeEventListener("abort", onAbort);
  }
}
