import type { DesktopBridge } from "@corral/protocol";
import { contextBridge, ipcRenderer, webUtils } from "electron";

/**
 * The only thing of Electron the page sees. Channel names are fixed here; the page passes no paths, URLs or channel names,
 * and no event object reaches it.
 */
const bridge: DesktopBridge = {
  requestPort: (nonce) => ipcRenderer.send("corral:request-port", String(nonce)),
  pathOfFile: (file) => webUtils.getPathForFile(file),
  pickDocuments: () => ipcRenderer.invoke("corral:pick-documents") as Promise<string[]>,
  pickFolder: () => ipcRenderer.invoke("corral:pick-folder") as Promise<string | null>,
  platform: process.platform as DesktopBridge["platform"],
};

contextBridge.exposeInMainWorld("corral", bridge);

ipcRenderer.on("corral:port", (event, nonce: unknown) => {
  // A MessagePort cannot cross the context bridge; a window message can carry it, to our own origin only.
  window.postMessage({ type: "corral-port", nonce }, window.location.origin, event.ports);
});
