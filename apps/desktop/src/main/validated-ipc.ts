import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent } from "electron";
import type { z } from "zod";
import { appOrigin } from "./app-scheme.ts";

/** Largest message a page may send, characters of its JSON. */
const messageLimit = 1_048_576;

/** The frame of an IPC event as far as the guard looks at it. */
interface Sender {
  senderFrame: { url: string; parent: unknown } | null;
  sender: { id: number };
}

/**
 * True when the event comes from the main frame of a window we made, showing our own page. Anything else (an iframe, a
 * navigated page, a destroyed frame, a service worker) is refused.
 */
export function isTrustedSender(event: Sender, isKnownWindow: (webContentsId: number) => boolean): boolean {
  const frame = event.senderFrame;
  if (frame === null || frame.parent !== null) return false;
  const url = URL.parse(frame.url);
  if (url === null || `${url.protocol}//${url.host}` !== appOrigin) return false;
  return isKnownWindow(event.sender.id);
}

/**
 * The one door between pages and main: every channel goes through here, is checked for its sender and size, and parsed by a
 * schema before any code of ours sees it.
 */
export class ValidatedIpc {
  readonly #ipcMain: Pick<IpcMain, "on" | "handle">;
  readonly #isKnownWindow: (webContentsId: number) => boolean;

  constructor(ipcMain: Pick<IpcMain, "on" | "handle">, isKnownWindow: (webContentsId: number) => boolean) {
    this.#ipcMain = ipcMain;
    this.#isKnownWindow = isKnownWindow;
  }

  /** A message without an answer. Bad ones are dropped. */
  on<Schema extends z.ZodType>(
    channel: string,
    schema: Schema,
    listener: (event: IpcMainEvent, payload: z.infer<Schema>) => void,
  ): void {
    this.#ipcMain.on(channel, (event, payload: unknown) => {
      const parsed = this.#accept(event, schema, payload);
      if (parsed.ok) listener(event, parsed.value);
    });
  }

  /** A request with an answer. Bad ones are rejected without a reason. */
  handle<Schema extends z.ZodType>(
    channel: string,
    schema: Schema,
    handler: (event: IpcMainInvokeEvent, payload: z.infer<Schema>) => Promise<unknown>,
  ): void {
    this.#ipcMain.handle(channel, async (event, payload: unknown) => {
      const parsed = this.#accept(event, schema, payload);
      if (!parsed.ok) throw new Error("Refused");
      return handler(event, parsed.value);
    });
  }

  #accept<Schema extends z.ZodType>(
    event: Sender,
    schema: Schema,
    payload: unknown,
  ): { ok: true; value: z.infer<Schema> } | { ok: false } {
    if (!isTrustedSender(event, this.#isKnownWindow)) return { ok: false };
    if ((JSON.stringify(payload) ?? "").length > messageLimit) return { ok: false };
    const parsed = schema.safeParse(payload);
    return parsed.success ? { ok: true, value: parsed.data } : { ok: false };
  }
}
