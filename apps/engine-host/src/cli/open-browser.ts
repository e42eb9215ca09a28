import { spawn } from "node:child_process";

/**
 * Opens a page in the user's browser where there is one. Never fails: without a display, or with nothing to open pages,
 * the printed address is enough.
 */
export function openBrowser(url: string): void {
  const isHeadless = process.platform === "linux" && !process.env["DISPLAY"] && !process.env["WAYLAND_DISPLAY"];
  if (isHeadless) return;
  const [program, ...before] =
    process.platform === "darwin"
      ? ["open"]
      : process.platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler"]
        : ["xdg-open"];
  try {
    const child = spawn(program ?? "xdg-open", [...before, url], { stdio: "ignore", detached: true });
    child.on("error", () => undefined);
    child.unref();
  } catch {
    // Not even the system's opener is there.
  }
}
