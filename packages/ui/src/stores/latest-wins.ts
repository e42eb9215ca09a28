/**
 * Runs `work` in the next frame, for something that is asked for with every move of a hand. Asked again while it runs, it
 * runs once more afterwards: never two at a time, so a slow host is not flooded, and the last wish always gets its answer.
 *
 * @param work must not throw
 * @returns asks for it
 */
export function latestWins(work: () => Promise<void>): () => void {
  let state: "still" | "waiting" | "running" | "outdated" = "still";
  const run = async () => {
    state = "running";
    await work();
    const isOutdated = (state as string) === "outdated";
    state = "still";
    if (isOutdated) ask();
  };
  const ask = () => {
    if (state === "running") state = "outdated";
    if (state !== "still") return;
    state = "waiting";
    requestAnimationFrame(() => void run());
  };
  return ask;
}
