import { CorralError, type FromHost } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { aborted } from "./serve.ts";

/** The desktop app's engine-host: frames over the IPC channel of the process that started it. */
export const host = defineCommand({
  name: "host",
  summary: "run as the desktop app's child process",
  help: `
Usage: corral host --ipc [--data DIR] [--resources DIR]

Started by the desktop app: serves its pages over the IPC channel until the app asks it to stop or goes away.`,
  listed: false,
  options: { ipc: { type: "boolean" } },
  async run({ values, signal, dataDirectory, resourcesDirectory }) {
    if (!values.ipc || !process.send) throw new UsageError("corral host is started by the Corral desktop app.");
    const stopping = new AbortController();
    process.once("disconnect", () => stopping.abort());
    const until = AbortSignal.any([signal, stopping.signal]);
    const { startHost, startHeartbeat, stopOnFatal } = await import("../main.ts");
    // Beats from the first moment: opening a large database may take a while, and silence means a hung host.
    using _heartbeat = startHeartbeat(process);
    try {
      await using running = await startHost({
        dataDirectory,
        resourcesDirectory,
        shell: "desktop",
        stderrLevel: "warn",
      });
      using _fatal = stopOnFatal(running);
      // Lets `corral` commands work while the app is open.
      await running.listen({ port: 0, ui: null });
      running.serveIpc(process, () => stopping.abort());
      await aborted(until);
    } catch (error) {
      if (until.aborted) return;
      const { code, message } = CorralError.reportOf(error);
      await new Promise<void>((resolve) => {
        const failed: FromHost = { type: "failed", code, message };
        process.send?.(failed, undefined, undefined, () => resolve());
      });
      throw error;
    } finally {
      if (process.connected) process.disconnect();
    }
  },
});
