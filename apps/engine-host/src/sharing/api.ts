import { Hono, type Context } from "hono";
import type { Hardware } from "../hardware/hardware.ts";
import type { Logger } from "../logger.ts";
import type { Models, RequestClient } from "../models/models.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { Store } from "../store/store.ts";
import { countMessageTokens } from "./anthropic/count-tokens.ts";
import * as anthropicErrors from "./anthropic/error-body.ts";
import { messages } from "./anthropic/messages.ts";
import { anthropicModels } from "./anthropic/models.ts";
import { newId, type ApiCall } from "./api-call.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";
import { secretOf, type Credentials } from "./credentials.ts";
import { health } from "./health.ts";
import { metrics } from "./metrics.ts";
import { chatCompletions } from "./openai/chat-completions.ts";
import { completions } from "./openai/completions.ts";
import { embeddings } from "./openai/embeddings.ts";
import * as openaiErrors from "./openai/error-body.ts";
import { listModelObjects, modelObject } from "./openai/models.ts";
import { rerank } from "./openai/rerank.ts";
import { StoredResponses } from "./openai/response-store.ts";
import { createResponse, deleteResponse, getResponse } from "./openai/responses.ts";
import { RequestCounts } from "./request-counts.ts";

/** What the API translates to. */
export interface ApiServices {
  readonly models: Pick<Models, "list" | "acquire" | "embedder" | "reranker" | "activity">;
  readonly retrieval: Retrieval;
  readonly store: {
    collections: Pick<Store["collections"], "list" | "getByName">;
    documents: Pick<Store["documents"], "get">;
  } & Pick<Store, "index" | "pages">;
  readonly hardware: Pick<Hardware, "watch">;
  readonly log: Logger;
}

export interface ApiOptions {
  services: ApiServices;
  credentials: Credentials;
  /** Of Corral. */
  version: string;
}

/** Answers a request to one of the API's paths: /v1/…, /health, /metrics. Never rejects. */
export type Api = (request: Request) => Promise<Response>;

type Env = { Variables: { requestId: string } };
type Handler = (call: ApiCall, context: Context<Env>) => Promise<Response>;

/** The OpenAI and Anthropic APIs, health and metrics. Pure translation: what they do is done by the rooms below. */
export function createApi({ services, credentials, version }: ApiOptions): Api {
  const app = new Hono<Env>();
  const counts = new RequestCounts();
  const stored = new StoredResponses();

  const authenticated = (handler: Handler, mayUse: (client: RequestClient) => boolean = () => true) => {
    return async (context: Context<Env>): Promise<Response> => {
      const secret = secretOf(context.req.raw.headers);
      const client = secret === null ? null : await credentials.clientOf(secret);
      if (client === null) {
        const message =
          secret === null
            ? "There is no key in this request. Send it as Authorization: Bearer KEY or x-api-key: KEY; `corral api` shows it."
            : "The key is wrong. `corral api` shows the right one.";
        throw new ApiError("unauthorized", message, { code: "invalid_api_key" });
      }
      if (!mayUse(client)) throw new ApiError("forbidden", "Only the owner's key may see this.");
      return handler(callOf(context.req.raw, client), context);
    };
  };

  const callOf = (request: Request, client: RequestClient): ApiCall => {
    const stopping = new AbortController();
    return {
      request,
      services,
      signal: AbortSignal.any([request.signal, stopping.signal]),
      client,
      clientFor: (priority) => (priority === null ? client : { ...client, priority }),
      fingerprint: `corral-${version}`,
      newId,
      noteFailure: (thrown) => {
        if (apiErrorOf(thrown).kind === "internal") services.log.error("api stream failed", {}, thrown);
      },
      end: (how) => {
        counts.noteStream(how);
        stopping.abort();
      },
    };
  };

  const isAnthropic = ({ req }: Context<Env>) =>
    req.path === "/v1/messages" ||
    req.path.startsWith("/v1/messages/") ||
    req.header("anthropic-version") !== undefined;

  const refuse = (context: Context<Env>, thrown: unknown): Response => {
    const error = apiErrorOf(thrown);
    if (error.kind === "internal" && !context.req.raw.signal.aborted) {
      services.log.error("api request failed", { path: context.req.path }, thrown);
    }
    const headers = new Headers();
    if (error.retryAfterSeconds !== null) headers.set("retry-after", String(error.retryAfterSeconds));
    if (error.kind === "unauthorized") headers.set("www-authenticate", 'Bearer realm="corral"');
    return isAnthropic(context)
      ? Response.json(anthropicErrors.errorBody(error, context.get("requestId")), {
          status: error.status,
          headers,
        })
      : Response.json(openaiErrors.errorBody(error), { status: openaiErrors.statusOf(error), headers });
  };

  app.use(async (context, next) => {
    const started = performance.now();
    const id = newId("req_");
    context.set("requestId", id);
    await next();
    context.res.headers.set("x-request-id", id);
    context.res.headers.set("request-id", id);
    const isGone = context.req.raw.signal.aborted;
    counts.note(context.req.routePath, isGone ? 499 : context.res.status, performance.now() - started);
  });

  app.get("/health", () => health(services.models));
  app.get(
    "/metrics",
    authenticated(() => metrics(services, counts), credentials.isOwner),
  );

  app.get("/v1/models", (context) =>
    authenticated(isAnthropic(context) ? anthropicModels.list : listModelObjects)(context),
  );
  app.get("/v1/models/:id{.+}", (context) =>
    authenticated((call) => (isAnthropic(context) ? anthropicModels.one : modelObject)(call, context.req.param("id")))(
      context,
    ),
  );
  app.post("/v1/chat/completions", authenticated(chatCompletions));
  app.post("/v1/completions", authenticated(completions));
  app.post("/v1/embeddings", authenticated(embeddings));
  app.post("/v1/rerank", authenticated(rerank));
  app.post(
    "/v1/responses",
    authenticated((call) => createResponse(call, stored)),
  );
  app.get(
    "/v1/responses/:id",
    authenticated((call, context) => getResponse(call, stored, context.req.param("id")!)),
  );
  app.delete(
    "/v1/responses/:id",
    authenticated((call, context) => deleteResponse(call, stored, context.req.param("id")!)),
  );
  app.post("/v1/messages", authenticated(messages));
  app.post("/v1/messages/count_tokens", authenticated(countMessageTokens));

  app.notFound((context) => refuse(context, unknownRoute(context)));
  app.onError((error, context) => refuse(context, error));
  return async (request) => app.fetch(request);
}

function unknownRoute({ req }: Context<Env>): ApiError {
  return new ApiError("not-found", `There is no ${req.method} ${req.path.slice(0, 200)} here.`, {
    code: "unknown_url",
  });
}
