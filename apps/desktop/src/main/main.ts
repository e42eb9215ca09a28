import { fork } from "node:child_process";
import { join } from "node:path";
import { app, BrowserWindow, dialog, ipcMain, MessageChannelMain, protocol, screen, session } from "electron";
import { z } from "zod";
import { appPaths, hostEnvironment } from "./app-paths.ts";
import { appOrigin, appSchemePrivileges, registerAppScheme } from "./app-scheme.ts";
import { EngineHostProcess } from "./engine-host-process.ts";
import { lockDownApp, lockDownSession, quietSwitches, refusedSwitch } from "./lock-down.ts";
import { mainWindowOptions } from "./main-window.ts";
import { askAfterFailure, pickDocuments, pickFolder } from "./native-dialogs.ts";
import { PortRelay } from "./port-relay.ts";
import { ValidatedIpc } from "./validated-ipc.ts";
import { loadWindowState, saveWindowState } from "./window-state.ts";

/** Composition root of the desktop shell: the only file (with preload) that touches Electron by value. */

const refused = refusedSwitch(app.commandLine);
if (refused !== null) {
  process.stderr.write(`Corral does not start with --${refused}: it would let other programs into the app.\n`);
  app.exit(2);
} else if (!app.requestSingleInstanceLock()) {
  app.quit();
} else {
  for (const [name, value] of quietSwitches) app.commandLine.appendSwitch(name, value);
  protocol.registerSchemesAsPrivileged(appSchemePrivileges);
  app.enableSandbox();
  lockDownApp(app);
  void app.whenReady().then(run);
}

async function run(): Promise<void> {
  const paths = appPaths({
    packaged: app.isPackaged,
    resourcesPath: process.resourcesPath,
    mainDirectory: import.meta.dirname,
    platform: process.platform,
  });
  lockDownSession(session.defaultSession);
  await registerAppScheme(protocol, paths.ui);

  let window: BrowserWindow | null = null;
  /** Pages that asked for a port while no host was ready. */
  const waiting: (() => void)[] = [];

  const relay = new PortRelay((frame) => host.send(frame));
  const host = new EngineHostProcess({
    spawn: () =>
      fork(paths.hostProgram, ["host", "--ipc", "--resources", paths.resources], {
        execPath: paths.node,
        execArgv: [],
        serialization: "advanced",
        env: hostEnvironment(process.env),
      }),
    timers: {
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
    },
    onFrame: (frame) => relay.fromHost(frame),
    onState: (state) => {
      if (state.kind === "ready") for (const connect of waiting.splice(0)) connect();
      else relay.closeAll();
      if (state.kind === "failed") {
        void askAfterFailure(dialog, state).then((again) => (again ? host.start() : app.quit()));
      }
    },
  });

  const ipc = new ValidatedIpc(ipcMain, (id) => window?.webContents.id === id);
  ipc.on("corral:request-port", z.string().min(8).max(100), (event, nonce) => {
    const connect = () => {
      if (event.sender.isDestroyed()) return;
      const { port1, port2 } = new MessageChannelMain();
      if (relay.connect(port1)) event.sender.postMessage("corral:port", nonce, [port2]);
    };
    if (host.state.kind === "ready") connect();
    else waiting.push(connect);
  });
  ipc.handle("corral:pick-documents", z.undefined(), async () =>
    window === null ? [] : pickDocuments(dialog, window),
  );

  ipc.handle("corral:pick-folder", z.undefined(), async () => (window === null ? null : pickFolder(dialog, window)));

  const stateFile = join(app.getPath("userData"), "window.json");
  const openWindow = async () => {
    const state = await loadWindowState(
      stateFile,
      screen.getAllDisplays().map((display) => display.workArea),
    );
    window = new BrowserWindow(mainWindowOptions(state, paths.preload));
    if (state.maximized) window.maximize();
    window.once("ready-to-show", () => window?.show());
    window.on("close", () => {
      if (window === null) return;
      void saveWindowState(stateFile, { ...window.getNormalBounds(), maximized: window.isMaximized() });
    });
    window.on("closed", () => (window = null));
    window.webContents.on("render-process-gone", () => window?.reload());
    await window.loadURL(`${appOrigin}/desktop.html`);
  };

  app.on("second-instance", () => {
    if (window?.isMinimized() === true) window.restore();
    window?.focus();
  });
  app.on("activate", () => {
    if (window === null) void openWindow();
  });
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit();
  });
  let stopped = false;
  app.on("before-quit", (event) => {
    if (stopped) return;
    event.preventDefault();
    void host.stop().finally(() => {
      stopped = true;
      app.quit();
    });
  });

  host.start();
  await openWindow();
}
