import type { Connection } from "../connection/connection.ts";

/**
 * Runs `work` while there is a link to the host and the page can be seen: a page nobody looks at must not keep the host busy.
 *
 * @param work must not throw
 * @returns the function that stops it
 */
export function whileWatched(connection: Connection, work: (signal: AbortSignal) => Promise<void>): () => void {
  let leave = () => {};
  const follow = () => {
    leave();
    leave = document.visibilityState === "visible" ? connection.whileReady(work) : () => {};
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    leave();
  };
}
