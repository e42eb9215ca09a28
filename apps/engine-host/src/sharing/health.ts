import type { Models } from "../models/models.ts";

/** How long the models may take to say how they are, ms. */
const patienceMs = 2_000;

/**
 * GET /health: 200 only when a question could be answered now. Tells what is wrong in one word and one sentence, and no
 * name, path or number that would be a secret.
 */
export async function health(models: Pick<Models, "list">): Promise<Response> {
  const { status, reason } = await condition(models);
  return Response.json(reason === null ? { status } : { status, reason }, {
    status: status === "ok" ? 200 : 503,
    headers: { "cache-control": "no-store", ...(status === "ok" ? {} : { "retry-after": "5" }) },
  });
}

type Health = { status: "ok"; reason: null } | { status: "unavailable"; reason: string };

async function condition(models: Pick<Models, "list">): Promise<Health> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), patienceMs)));
  const list = await Promise.race([models.list(), late])
    .catch(() => null)
    .finally(() => clearTimeout(timer));
  const unavailable = (reason: string): Health => ({ status: "unavailable", reason });
  if (list === null) return unavailable("The host does not answer.");
  const [model] = list;
  if (model === undefined || model.state === "absent") return unavailable("No model is installed.");
  if (model.state === "quarantined")
    return unavailable("The default model crashed too often and is left alone for a while.");
  // Loaded means answering: a load that succeeds clears the error before it.
  const isLoaded = model.state === "ready" || model.state === "idle";
  const code = isLoaded ? undefined : model.lastError?.code;
  if (code === "ENGINE_CRASHED")
    return unavailable("The engine of the default model stopped and is not running again yet.");
  if (code !== undefined) return unavailable("The default model cannot be loaded; `corral models list` says why.");
  return { status: "ok", reason: null };
}
