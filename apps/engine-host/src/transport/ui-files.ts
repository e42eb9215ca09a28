import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";

export interface UiFile {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  etag: string;
  cacheControl: string;
}

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".woff": "font/woff",
  ".ttf": "font/ttf",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

/**
 * Reads the built web interface once. Only what this list holds is ever served, so no request path reaches the disk.
 * @returns URL path to file; empty when the interface has not been built
 */
export function readUiFiles(directory: string): Map<string, UiFile> {
  const files = new Map<string, UiFile>();
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch {
    return files;
  }
  for (const name of names) {
    const type = types[extname(name).toLowerCase()];
    // The desktop shell has its own entry page, and source maps are for developers.
    if (type === undefined || name === "desktop.html") continue;
    const body = new Uint8Array(readFileSync(join(directory, name)));
    const path = `/${name.split(sep).join("/")}`;
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
    // Vite puts a content hash into every name below assets/.
    const cacheControl = path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
    files.set(path, { body, type, etag, cacheControl });
  }
  const index = files.get("/index.html");
  if (index) files.set("/", index);
  return files;
}
