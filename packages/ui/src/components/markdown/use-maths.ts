import { useEffect, useState } from "react";

type Maths = (typeof import("./maths.ts"))["mathsPlugins"];

let loaded: Maths | null = null;
let loading: Promise<Maths> | null = null;

/** Loads KaTeX, once, the first time a formula is in sight. Rejects when its file cannot be fetched; the next call tries again. */
export function loadMaths(): Promise<Maths> {
  loading ??= import("./maths.ts").then(
    ({ mathsPlugins }) => (loaded = mathsPlugins),
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** The plugins for maths when `needed`, null until they are there: formulas then show as they were written. */
export function useMaths(needed: boolean): Maths | null {
  const [maths, setMaths] = useState(loaded);
  useEffect(() => {
    if (!needed || maths) return;
    let mounted = true;
    loadMaths().then(
      (plugins) => mounted && setMaths(plugins),
      () => undefined,
    );
    return () => {
      mounted = false;
    };
  }, [needed, maths]);
  return needed ? (maths ?? loaded) : null;
}
