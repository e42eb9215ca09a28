import { afterEach, beforeEach, expect, test, vi } from "vitest";

const ipc = { send: vi.fn(), invoke: vi.fn(async () => ["/home/a/report.pdf"]), on: vi.fn() };
const exposed = new Map<string, unknown>();
vi.mock("electron", () => ({
  contextBridge: { exposeInMainWorld: (name: string, value: unknown) => exposed.set(name, value) },
  ipcRenderer: ipc,
  webUtils: { getPathForFile: (file: { path: string }) => file.path },
}));

const postMessage = vi.fn();
beforeEach(() => vi.stubGlobal("window", { postMessage, location: { origin: "corral://app" } }));
afterEach(() => vi.unstubAllGlobals());

test("the page gets four things and no channel names, paths to open, or event objects", async () => {
  await import("./preload.ts");
  expect([...exposed.keys()]).toEqual(["corral"]);
  const bridge = exposed.get("corral") as Record<string, (...values: unknown[]) => unknown>;
  expect(Object.keys(bridge).sort()).toEqual(["pathOfFile", "pickDocuments", "pickFolder", "platform", "requestPort"]);

  bridge["requestPort"]?.("nonce-1");
  expect(ipc.send).toHaveBeenCalledWith("corral:request-port", "nonce-1");
  await expect(bridge["pickDocuments"]?.("/etc/passwd")).resolves.toEqual(["/home/a/report.pdf"]);
  expect(ipc.invoke).toHaveBeenCalledWith("corral:pick-documents");

  const [channel, listener] = ipc.on.mock.calls[0] as unknown as [string, (event: unknown, nonce: unknown) => void];
  expect(channel).toBe("corral:port");
  const port = {};
  listener({ ports: [port], sender: "secret" }, "nonce-1");
  expect(postMessage).toHaveBeenCalledWith({ type: "corral-port", nonce: "nonce-1" }, "corral://app", [port]);
});
