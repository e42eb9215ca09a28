/**
 * The value, or null when it does not come in time or fails: a hung tool must not hang the caller. What went wrong is
 * told through `note`, one sentence.
 * @param ms time it may take
 */
export async function withinTime<Value>(
  ms: number,
  what: string,
  note: (sentence: string) => void,
  read: () => Promise<Value>,
): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      note(`${what} did not answer within ${ms / 1000} s.`);
      resolve(null);
    }, ms);
  });
  try {
    const value = read().catch((error: unknown) => {
      note(`${what} could not be read: ${error instanceof Error ? error.message : String(error)}.`);
      return null;
    });
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
