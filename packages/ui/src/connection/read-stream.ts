/**
 * Reads an event iterator to its end: the only place that iterates one, so that every stream is closed properly.
 * oRPC words an abort differently depending on when it strikes; only `signal.aborted` tells it apart from a failure.
 *
 * @param open makes the call with the signal that stops it
 * @returns whether the stream ended by itself or because `signal` aborted
 * @throws what the call or the stream threw, unless `signal` was aborted
 */
export async function readStream<Item>(
  open: (signal: AbortSignal) => Promise<AsyncIterable<Item>>,
  signal: AbortSignal,
  onItem: (item: Item) => void,
): Promise<"ended" | "aborted"> {
  try {
    for await (const item of await open(signal)) {
      if (signal.aborted) return "aborted";
      onItem(item);
    }
    return signal.aborted ? "aborted" : "ended";
  } catch (error) {
    if (signal.aborted) return "aborted";
    throw error;
  }
}
