import { connectThroughWebSocket } from "./connection/websocket-connection.ts";
import { startApp } from "./start-app.tsx";

await startApp(connectThroughWebSocket());
