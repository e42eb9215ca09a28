import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultDataDirectory, ownDirectory, readHostRecord, readOwnerKey } from "./data-directory.ts";

const program = fileURLToPath(new URL("./fixtures/own-directory.ts", import.meta.url));
const isUnix = process.platform !== "win32";
let root: string;
const children: ChildProcess[] = [];

beforeEach(() => (root = mkdtempSync(join(tmpdir(), "corral-data-"))));
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

/** Starts another process that tries to own the directory; resolves with its one line. */
async function start(directory: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [program, directory], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const [said] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, said };
}

describe("the place", () => {
  it("is CORRAL_DATA_DIR, else what the system prescribes", () => {
    expect(defaultDataDirectory({ CORRAL_DATA_DIR: "/x/y" }, "linux")).toBe("/x/y");
    expect(defaultDataDirectory({ XDG_DATA_HOME: "/xdg" }, "linux")).toBe("/xdg/corral");
    expect(defaultDataDirectory({ XDG_DATA_HOME: "relative" }, "linux")).toBe(join(homedir(), ".local/share/corral"));
    expect(defaultDataDirectory({}, "darwin")).toBe(join(homedir(), "Library/Application Support/Corral"));
    expect(defaultDataDirectory({ LOCALAPPDATA: "/local" }, "win32")).toBe("/local/Corral");
  });

  it("is made private, and so are the key and the record", async () => {
    using owned = await ownDirectory(join(root, "deep/data"));
    owned.announce("http://127.0.0.1:7410");
    expect(readHostRecord(owned.path)).toEqual({
      pid: process.pid,
      since: expect.any(String) as string,
      address: "http://127.0.0.1:7410",
    });
    if (!isUnix) return;
    expect(statSync(owned.path).mode & 0o777).toBe(0o700);
    for (const file of ["owner.key", "host.json"]) expect(statSync(join(owned.path, file)).mode & 0o777).toBe(0o600);
  });

  it("keeps its key over restarts and makes a new one when the file is damaged", async () => {
    const keys: string[] = [];
    for (let starts = 0; starts < 2; starts++) {
      using owned = await ownDirectory(root);
      keys.push(owned.key);
    }
    expect(keys[0]).toMatch(/^[\w-]{43}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(readOwnerKey(root)).toBe(keys[0]);
    expect(existsSync(join(root, "host.json"))).toBe(false);
    writeFileSync(join(root, "owner.key"), "short");
    using owned = await ownDirectory(root);
    expect(owned.key).toMatch(/^[\w-]{43}$/);
    expect(readFileSync(join(root, "owner.key"), "utf8").trim()).toBe(owned.key);
  });

  it("is refused with a sentence when it cannot be written, even by root", async () => {
    writeFileSync(join(root, "file"), "");
    const below = await ownDirectory(join(root, "file/data")).catch((error: unknown) => error);
    expect(below).toMatchObject({
      code: "DATA_DIRECTORY_NOT_WRITABLE",
      message: expect.stringContaining("--data DIR") as string,
    });
    await expect(ownDirectory(join(root, "file"))).rejects.toMatchObject({ code: "DATA_DIRECTORY_NOT_WRITABLE" });
    if (process.platform === "linux") {
      await expect(ownDirectory("/proc/corral")).rejects.toMatchObject({ code: "DATA_DIRECTORY_NOT_WRITABLE" });
    }
  });
});

describe("the one owner", () => {
  it("is exactly one of 20 that start at once, and all others learn who it is", { timeout: 60_000 }, async () => {
    const started = await Promise.all(Array.from({ length: 20 }, () => start(root)));
    const owners = started.filter(({ said }) => said.startsWith("owner "));
    expect(owners).toHaveLength(1);
    const others = started.filter(({ said }) => !said.startsWith("owner "));
    expect(others.map(({ said }) => said)).toEqual(
      Array.from({ length: 19 }, () => `DATA_DIRECTORY_IN_USE ${owners[0]?.child.pid}`),
    );
  });

  it("is named to whoever comes second, with its address", async () => {
    using owned = await ownDirectory(root);
    owned.announce("http://127.0.0.1:7499");
    await expect(ownDirectory(root)).rejects.toMatchObject({
      code: "DATA_DIRECTORY_IN_USE",
      data: { directory: root, pid: process.pid, address: "http://127.0.0.1:7499" },
      message: expect.stringMatching(new RegExp(`process ${process.pid}.*http://127.0.0.1:7499`)) as string,
    });
  });

  it("may be taken at once after kill -9, whatever was left behind", async () => {
    for (let round = 0; round < 5; round++) {
      const { child, said } = await start(root);
      expect(said).toMatch(/^owner /);
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(readHostRecord(root)?.pid).toBe(child.pid);
      using owned = await ownDirectory(root);
      expect(readHostRecord(owned.path)?.pid).toBe(process.pid);
    }
  });

  it("is waited for when asked to, and not longer than that", async () => {
    const { child } = await start(root);
    await expect(ownDirectory(root, { patienceMs: 200 })).rejects.toMatchObject({ code: "DATA_DIRECTORY_IN_USE" });
    const waiting = ownDirectory(root, { patienceMs: 10_000 });
    child.stdin?.end();
    using owned = await waiting;
    expect(owned.path).toBe(root);
  });
});
