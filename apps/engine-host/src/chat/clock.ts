/** Time as chat sees it, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds, from an arbitrary start. */
  now(): number;
  /** Runs `action` once after `ms`; the answer calls it off. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};
