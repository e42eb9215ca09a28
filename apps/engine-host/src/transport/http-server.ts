import { createServer, STATUS_CODES, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { CorralError, type AddResult, type ErrorCode } from "@corral/protocol";
import type { Services } from "../router/context.ts";
import { Access } from "./access.ts";
import { readUiFiles, type UiFile } from "./ui-files.ts";
import { serveWebSockets } from "./websocket-server.ts";

export interface HttpServer extends AsyncDisposable {
  /** "http://127.0.0.1:7410" */
  readonly address: string;
  /** False when the web interface has not been built; the page then says how to. */
  readonly hasUi: boolean;
}

/** Where the API for programs lives; everything else belongs to the page. */
const apiPaths = ["/v1/*", "/health", "/metrics"];

/** A connection nothing is heard on is asked after so long whether it still lives, ms. */
const keepAliveProbeMs = 10_000;

/**
 * Starts the server on 127.0.0.1 only: the web interface, uploads, health, the API for programs, and the router over
 * WebSocket.
 * @param options.port 0 takes any free port
 * @param options.ui the folder of the built interface; null serves none
 * @param options.api answers the requests to its paths, which it authenticates itself
 * @throws CorralError PORT_IN_USE
 */
export async function startHttpServer(
  services: Services,
  options: { port: number; key: string; ui: string | null; api: (request: Request) => Promise<Response> },
): Promise<HttpServer> {
  const server = createServer({
    requestTimeout: 0,
    keepAliveTimeout: 5_000,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeMs,
  });
  const port = await listen(server, options.port);
  const access = new Access(port, options.key);
  const files = options.ui === null ? new Map<string, UiFile>() : readUiFiles(options.ui);
  const handle = getRequestListener(buildApp(services, access, files, options.api).fetch, {
    overrideGlobalObjects: false,
  });

  server.on("request", (request, response) => {
    const refusal = access.refuse(request);
    if (refusal === null) return void handle(request, response);
    response.writeHead(refusal.status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
    response.end(`${refusal.reason}.\n`);
  });
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end(`HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\n\r\n`);
    else socket.destroy();
  });
  const sockets = serveWebSockets(server, access, services);

  return {
    address: `http://127.0.0.1:${port}`,
    hasUi: files.has("/"),
    [Symbol.asyncDispose]: async () => {
      sockets[Symbol.dispose]();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // Long uploads are cut after a moment; their temporary files go with them.
      const cut = setTimeout(() => server.closeAllConnections(), 1_000);
      await closed;
      clearTimeout(cut);
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE" && error.code !== "EACCES") return reject(error);
      const message =
        error.code === "EADDRINUSE"
          ? `Port ${port} is already in use by another program. Choose another with --port.`
          : `This user may not listen on port ${port}. Choose one above 1023 with --port.`;
      reject(new CorralError("PORT_IN_USE", message, { port }, { cause: error }));
    });
    server.listen({ port, host: "127.0.0.1" }, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    });
  });
}

function buildApp(
  services: Services,
  access: Access,
  files: Map<string, UiFile>,
  api: (request: Request) => Promise<Response>,
): Hono {
  const app = new Hono();
  const policy = contentSecurityPolicy(access.hosts);
  app.use(async (context, next) => {
    await next();
    context.res.headers.set("content-security-policy", policy);
    context.res.headers.set("x-content-type-options", "nosniff");
    context.res.headers.set("referrer-policy", "no-referrer");
    context.res.headers.set("cross-origin-opener-policy", "same-origin");
    context.res.headers.set("cross-origin-resource-policy", "same-origin");
  });

  app.get("/api/health", (context) => context.json({ status: "ok" }));

  app.post("/api/upload", async (context) => {
    const bearer = /^Bearer (\S+)$/.exec(context.req.header("authorization") ?? "")?.[1];
    if (!access.hasKey(bearer)) return context.json(body("UNAUTHORIZED", "The access key is missing or wrong."), 401);
    if (context.req.header("content-type") !== "application/octet-stream") {
      return context.json(body("INVALID_INPUT", "Uploads are application/octet-stream."), 415);
    }
    const { collectionId, name } = context.req.query();
    const content = context.req.raw.body;
    if (!collectionId || !name || name.length > 255 || !content) {
      return context.json(body("INVALID_INPUT", "An upload names its collectionId and its file name."), 400);
    }
    const declared = Number(context.req.header("content-length") ?? 0);
    if (declared > services.library.uploadLimitBytes) {
      const limitBytes = services.library.uploadLimitBytes;
      const message = `${name} is larger than the ${Math.floor(limitBytes / 2 ** 20)} MiB an upload may have.`;
      return context.json(body("FILE_TOO_LARGE", message, { file: name, bytes: declared, limitBytes }), 413);
    }
    try {
      const result: AddResult = await services.library.addUpload(collectionId, name, content, context.req.raw.signal);
      return context.json(result);
    } catch (thrown) {
      const report = CorralError.reportOf(thrown);
      if (report.code === "INTERNAL" && !context.req.raw.signal.aborted)
        services.log.error("upload failed", {}, thrown);
      return context.json({ error: report }, report.code === "INTERNAL" ? 500 : 400);
    }
  });

  for (const path of apiPaths) app.all(path, (context) => api(context.req.raw));

  app.get("*", (context) => {
    const file = files.get(context.req.path);
    if (file === undefined) {
      if (context.req.path === "/" && files.size === 0) return context.html(notBuilt, 503);
      return context.text("Not found.\n", 404);
    }
    const headers = { "content-type": file.type, "cache-control": file.cacheControl, etag: file.etag };
    if (context.req.header("if-none-match") === file.etag) return context.body(null, 304, headers);
    return context.body(file.body, 200, headers);
  });
  app.notFound((context) => context.text("Not found.\n", 404));
  app.onError((error, context) => {
    services.log.error("request failed", {}, error);
    return context.json({ error: CorralError.reportOf(error) }, 500);
  });
  return app;
}

function body(code: ErrorCode, message: string, data: unknown = code === "INVALID_INPUT" ? { reason: message } : {}) {
  return { error: { code, message, data } };
}

/** Style attributes that React, KaTeX and Shiki set go through the CSSOM, which this policy allows. */
function contentSecurityPolicy(hosts: string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    // Chromium takes no IPv6 address as a source and complains about one.
    `connect-src 'self' ${hosts.flatMap((host) => (host.startsWith("[") ? [] : [`ws://${host}`])).join(" ")}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

const notBuilt = `<!doctype html><meta charset="utf-8"><title>Corral</title>
<p>The web interface has not been built yet. Run <code>npm run build:ui</code> in the Corral folder, then start Corral again.</p>`;
