import { expect, test } from "vitest";
import { appPaths, hostEnvironment } from "./app-paths.ts";
import { mainWindowOptions } from "./main-window.ts";

test("the page is sandboxed and isolated", () => {
  const { webPreferences } = mainWindowOptions({ width: 800, height: 600, maximized: false }, "/app/preload.cjs");
  expect(webPreferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    webSecurity: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webviewTag: false,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    spellcheck: false,
  });
});

test("packed parts are looked for beside the asar, sources in the repository", () => {
  const packed = appPaths({
    packaged: true,
    resourcesPath: "/opt/corral/resources",
    mainDirectory: "/x",
    platform: "win32",
  });
  expect(packed.node).toMatch(/node\.exe$/);
  expect(packed.hostProgram).toBe("/opt/corral/resources/engine-host/corral.js");
  const source = appPaths({
    packaged: false,
    resourcesPath: "",
    mainDirectory: "/repository/apps/desktop/dist",
    platform: "linux",
  });
  expect(source.hostProgram).toBe("/repository/apps/engine-host/bin/corral.mjs");
  expect(source.preload).toBe("/repository/apps/desktop/dist/preload.cjs");
});

test("engine-host sees no variable that could bend it", () => {
  const environment = hostEnvironment({
    PATH: "/bin",
    HOME: "/home/a",
    NODE_OPTIONS: "--require x",
    LD_PRELOAD: "x.so",
    HF_ENDPOINT: "http://x",
    HTTPS_PROXY: "http://x",
    ELECTRON_RUN_AS_NODE: "1",
  });
  expect(environment).toEqual({ PATH: "/bin", HOME: "/home/a" });
});
