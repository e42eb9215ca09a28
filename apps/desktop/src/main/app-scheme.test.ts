import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listUiFiles, serveUiFile } from "./app-scheme.ts";

let directory: string;
let files: ReadonlyMap<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "corral-ui-"));
  await mkdir(join(directory, "ui", "assets"), { recursive: true });
  await writeFile(join(directory, "secret.json"), "{}");
  await writeFile(join(directory, "ui", "desktop.html"), "<!doctype html>");
  await writeFile(join(directory, "ui", "assets", "app.js"), "1");
  await writeFile(join(directory, "ui", "assets", "notes.exe"), "MZ");
  files = await listUiFiles(join(directory, "ui"));
});
afterAll(() => rm(directory, { recursive: true }));

describe("corral://app", () => {
  test("serves the page and its assets with a policy that names no remote host", async () => {
    const page = await serveUiFile(files, "corral://app/");
    expect(page.status).toBe(200);
    expect(await page.text()).toBe("<!doctype html>");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
    const script = await serveUiFile(files, "corral://app/assets/app.js?v=1#x");
    expect(script.headers.get("content-type")).toContain("text/javascript");
  });

  test.each([
    "corral://app/../secret.json",
    "corral://app/..%2fsecret.json",
    "corral://app/%2e%2e/secret.json",
    "corral://app/assets/..\\..\\secret.json",
    "corral://app//secret.json",
    "corral://app/assets/notes.exe",
    "corral://app/assets",
    "corral://evil/desktop.html",
    "corral://app@evil/desktop.html",
    "not a url",
  ])("answers 404 for %s", async (url) => {
    expect((await serveUiFile(files, url)).status).toBe(404);
  });
});
