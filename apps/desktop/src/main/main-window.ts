import type { BrowserWindowConstructorOptions } from "electron";
import type { WindowState } from "./window-state.ts";

/** How the one window is made: sandboxed, isolated, nothing of Node in it. */
export function mainWindowOptions(state: WindowState, preload: string): BrowserWindowConstructorOptions {
  return {
    ...(state.x === undefined || state.y === undefined ? {} : { x: state.x, y: state.y }),
    width: state.width,
    height: state.height,
    minWidth: 480,
    minHeight: 400,
    show: false,
    title: "Corral",
    backgroundColor: "#f7f6f3",
    autoHideMenuBar: true,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      spellcheck: false,
      navigateOnDragDrop: false,
    },
  };
}
