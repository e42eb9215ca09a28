import type { App, Session, WebContents } from "electron";
import { appOrigin } from "./app-scheme.ts";

/** Schemes the page's own requests may use. Everything else is cancelled before it leaves the process. */
const allowedSchemes = ["corral:", "blob:", "data:", "devtools:"];

/** True for URLs whose content came with the app or was made by the page. */
export function isAllowedRequest(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null) return false;
  if (parsed.protocol === "corral:") return parsed.host === "app";
  return allowedSchemes.includes(parsed.protocol);
}

/** The parts of a session that are locked down. */
type LockedSession = Pick<
  Session,
  | "setPermissionRequestHandler"
  | "setPermissionCheckHandler"
  | "setDevicePermissionHandler"
  | "setDisplayMediaRequestHandler"
  | "setSpellCheckerEnabled"
  | "on"
> & { webRequest: Pick<Session["webRequest"], "onBeforeRequest"> };

/**
 * Denies every permission but writing to the clipboard (Electron approves all by default), every download, the spell
 * checker (it fetches dictionaries) and every request that is not the app's own.
 */
export function lockDownSession(session: LockedSession): void {
  const isClipboardWrite = (permission: string, origin: string | undefined, mainFrame: boolean) =>
    permission === "clipboard-sanitized-write" && mainFrame && (origin ?? "").replace(/\/$/, "") === appOrigin;

  session.setPermissionRequestHandler((_contents, permission, callback, details) => {
    callback(isClipboardWrite(permission, originOf(details.requestingUrl), details.isMainFrame));
  });
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin, details) =>
    isClipboardWrite(permission, requestingOrigin, details.isMainFrame),
  );
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, callback) => callback({}));
  session.setSpellCheckerEnabled(false);
  session.on("will-download", (event) => event.preventDefault());
  session.webRequest.onBeforeRequest((details, callback) => callback({ cancel: !isAllowedRequest(details.url) }));
}

/** No page ever navigates, opens a window, attaches a webview or is redirected. Links are copied, not followed. */
export function denyNavigation(contents: Pick<WebContents, "on" | "setWindowOpenHandler">): void {
  contents.on("will-navigate", (event) => event.preventDefault());
  contents.on("will-frame-navigate", (event) => event.preventDefault());
  contents.on("will-redirect", (event) => event.preventDefault());
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: "deny" }));
}

/** Applies {@link denyNavigation} to every web contents that will ever exist, and refuses bad certificates as they are. */
export function lockDownApp(app: Pick<App, "on">): void {
  app.on("web-contents-created", (_event, contents) => denyNavigation(contents));
}

/** Command line switches that keep Chromium from opening connections of its own. */
export const quietSwitches: readonly (readonly [name: string, value?: string])[] = [
  ["disable-background-networking"],
  ["disable-component-update"],
  ["disable-domain-reliability"],
  ["disable-sync"],
  ["no-default-browser-check"],
  ["no-pings"],
  ["disable-features", "DnsOverHttps,OptimizationHints,MediaRouter,Translate,NetworkPrediction"],
];

/** Switches a user could pass that would open the app to other programs; the app refuses to start with them. */
const refusedSwitches = ["no-sandbox", "remote-debugging-port", "remote-debugging-pipe", "disable-web-security"];

/** The first refused switch that is present, or null. */
export function refusedSwitch(commandLine: { hasSwitch(name: string): boolean }): string | null {
  return refusedSwitches.find((name) => commandLine.hasSwitch(name)) ?? null;
}

function originOf(url: string | undefined): string | undefined {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed === null ? undefined : `${parsed.protocol}//${parsed.host}`;
}
