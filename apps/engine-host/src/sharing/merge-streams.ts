/**
 * The parts of several streams as they come; ends when all have ended, and at the first failure.
 * @param stop called when it ends, whyever: it must make streams that still run end soon, and they are waited for
 */
export async function* mergeStreams<Part>(
  streams: AsyncIterable<Part>[],
  stop: () => void,
): AsyncGenerator<Part, void> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const ask = (at: number) => {
    const asked = iterators[at]!.next().then((result) => ({ at, result }));
    // It may fail while nobody waits for it; whoever waits learns of it all the same.
    asked.catch(() => undefined);
    return asked;
  };
  const open = new Map(iterators.map((_, at) => [at, ask(at)]));
  try {
    while (open.size > 0) {
      const { at, result } = await Promise.race(open.values());
      // Behind the others, so that none starves.
      open.delete(at);
      if (result.done) continue;
      open.set(at, ask(at));
      yield result.value;
    }
  } finally {
    stop();
    await Promise.allSettled(iterators.map(async (iterator) => iterator.return?.()));
  }
}
