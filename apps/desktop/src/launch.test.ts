import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findElectronBinary, whyNoWindow } from "./launch.ts";

const able = { platform: "linux", environment: { DISPLAY: ":0" }, userId: 1000, electronBinary: "/e" } as const;

test("Electron runs where it is installed, has a display and is not root", () => {
  expect(whyNoWindow(able)).toBeNull();
  expect(whyNoWindow({ ...able, environment: { WAYLAND_DISPLAY: "wayland-0" } })).toBeNull();
  expect(whyNoWindow({ ...able, platform: "darwin", environment: {} })).toBeNull();
  expect(whyNoWindow({ ...able, electronBinary: null })).toMatch(/not installed/);
  expect(whyNoWindow({ ...able, environment: {} })).toMatch(/no display/);
  expect(whyNoWindow({ ...able, userId: 0 })).toMatch(/root/);
});

test("the binary is found without the electron package's own look-up, which downloads", async () => {
  const directory = await mkdtemp(join(tmpdir(), "corral-electron-"));
  expect(findElectronBinary(directory, {})).toBeNull();
  await writeFile(join(directory, "path.txt"), "electron");
  expect(findElectronBinary(directory, {})).toBeNull();
  await mkdir(join(directory, "dist"));
  await writeFile(join(directory, "dist", "electron"), "");
  await chmod(join(directory, "dist", "electron"), 0o755);
  expect(findElectronBinary(directory, {})).toBe(join(directory, "dist", "electron"));
  await rm(directory, { recursive: true });
});
