import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";

const windowState = z.object({
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  width: z.number().int().min(480).max(20_000),
  height: z.number().int().min(400).max(20_000),
  maximized: z.boolean(),
});
/** Where the window was: device-independent pixels. Without x and y the system places it. */
export type WindowState = z.infer<typeof windowState>;

const firstState: WindowState = { width: 1280, height: 840, maximized: false };

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The stored state, or the first one when there is none or it makes no sense on the present screens. */
export async function loadWindowState(file: string, screens: readonly Rectangle[]): Promise<WindowState> {
  let stored: unknown;
  try {
    stored = JSON.parse(await readFile(file, "utf8"));
  } catch {
    return firstState;
  }
  const parsed = windowState.safeParse(stored);
  if (!parsed.success) return firstState;
  const { x, y, ...size } = parsed.data;
  const visible =
    x !== undefined &&
    y !== undefined &&
    screens.some(
      (screen) =>
        x + 100 < screen.x + screen.width &&
        x + size.width - 100 > screen.x &&
        y >= screen.y &&
        y + 50 < screen.y + screen.height,
    );
  return visible ? { ...size, x, y } : size;
}

/** Saves the state; a torn write cannot happen (temp file, then rename). */
export async function saveWindowState(file: string, state: WindowState): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify(state));
  await rename(temporary, file);
}
