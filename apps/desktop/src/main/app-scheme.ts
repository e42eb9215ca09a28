import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import type { Protocol } from "electron";
import { contentSecurityPolicy } from "./content-security-policy.ts";

const appScheme = "corral";
export const appOrigin = "corral://app";

/** Must be registered before Electron is ready: standard and secure, so that `'self'` and `isSecureContext` mean something. */
export const appSchemePrivileges = [
  { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
];

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".woff": "font/woff",
  ".ttf": "font/ttf",
};

/**
 * The UI's files by URL path, listed once at start. Requests are looked up here and never turned into a file path, so no
 * spelling of `..` can leave the folder.
 */
export async function listUiFiles(uiDirectory: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(uiDirectory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !(extname(entry.name) in contentTypes)) continue;
    const file = join(entry.parentPath, entry.name);
    files.set(`/${relative(uiDirectory, file).split(sep).join("/")}`, file);
  }
  return files;
}

/** Answers one request for `corral://app/…`: a listed file with the page's headers, or 404. */
export async function serveUiFile(files: ReadonlyMap<string, string>, url: string): Promise<Response> {
  const parsed = URL.parse(url);
  const path = parsed?.pathname === "/" ? "/desktop.html" : parsed?.pathname;
  const file = parsed?.origin === appOrigin || parsed?.host === "app" ? files.get(path ?? "") : undefined;
  const headers = {
    "content-security-policy": contentSecurityPolicy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
  };
  if (file === undefined) return new Response("Not found", { status: 404, headers });
  const type = contentTypes[extname(file)] ?? "application/octet-stream";
  return new Response(await readFile(file), { headers: { ...headers, "content-type": type } });
}

/** Serves the UI under `corral://app`. */
export async function registerAppScheme(protocol: Pick<Protocol, "handle">, uiDirectory: string): Promise<void> {
  const files = await listUiFiles(uiDirectory);
  protocol.handle(appScheme, (request) => serveUiFile(files, request.url));
}
