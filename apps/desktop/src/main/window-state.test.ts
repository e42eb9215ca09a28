import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadWindowState, saveWindowState } from "./window-state.ts";

const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }];
let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), "corral-window-"))));
afterEach(() => rm(directory, { recursive: true }));

test("comes back where it was", async () => {
  const file = join(directory, "new", "window.json");
  const state = { x: 100, y: 50, width: 1000, height: 700, maximized: true };
  await saveWindowState(file, state);
  expect(await loadWindowState(file, screens)).toEqual(state);
  expect(await readdir(join(directory, "new"))).toEqual(["window.json"]);
});

test("a window on a screen that is gone keeps its size and is placed by the system", async () => {
  const file = join(directory, "window.json");
  await saveWindowState(file, { x: 2500, y: 50, width: 1000, height: 700, maximized: false });
  expect(await loadWindowState(file, screens)).toEqual({ width: 1000, height: 700, maximized: false });
});

test.each(["", "{", "[]", '{"width":1,"height":1,"maximized":false}', '{"width":"1e9"}'])(
  "damaged state %j is the first state",
  async (content) => {
    const file = join(directory, "window.json");
    await writeFile(file, content);
    expect(await loadWindowState(file, screens)).toEqual({ width: 1280, height: 840, maximized: false });
  },
);
