import { connectThroughPort } from "./connection/port-connection.ts";
import { startApp } from "./start-app.tsx";

if (!window.corral) throw new Error("desktop.html runs in the Corral app only: the preload script is missing.");
await startApp(connectThroughPort(window.corral));
