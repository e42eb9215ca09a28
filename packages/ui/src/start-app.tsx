import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import type { Connection } from "./connection/connection.ts";
import { startLocales } from "./locales/locales.ts";
import { createStores, StoresProvider } from "./stores/stores.tsx";
import "./theme/theme.css";

/** Draws the app over a connection: the part that is the same in the desktop app and in a browser. */
export async function startApp(connection: Connection): Promise<void> {
  await startLocales();
  const stores = createStores(connection);
  const root = document.getElementById("root");
  if (!root) throw new Error("The page has no element with the id “root”.");

  const { preferences, chat } = stores;
  const applyTheme = (theme: string) => {
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  };
  applyTheme(preferences.getState().theme);
  preferences.subscribe(({ theme }, before) => {
    if (theme !== before.theme) applyTheme(theme);
  });

  // A reload comes back to where the user was, and so picks up an answer that is being written.
  const { lastConversationId } = preferences.getState();
  if (lastConversationId) void chat.getState().open(lastConversationId);
  chat.subscribe(({ conversationId }, before) => {
    if (conversationId !== before.conversationId) preferences.getState().set({ lastConversationId: conversationId });
  });

  // Outside of a drop zone the browser would leave the app and open the file instead.
  for (const type of ["dragover", "drop"]) window.addEventListener(type, (event) => event.preventDefault());

  createRoot(root).render(
    <StoresProvider stores={stores}>
      <App />
    </StoresProvider>,
  );
}
