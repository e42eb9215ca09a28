import { lazy, Suspense, useEffect, type ComponentType, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { DropZone } from "./components/drop-zone.tsx";
import { SplitPane } from "./components/split-pane.tsx";
import { loadScreenWords } from "./locales/locales.ts";
import { ChatScreen } from "./screens/chat/chat-screen.tsx";
import { addToConversation, addToLibrary } from "./screens/drop/add-dropped-files.ts";
import { AccessKeyScreen } from "./screens/shell/access-key-screen.tsx";
import { ConnectionBanner } from "./screens/shell/connection-banner.tsx";
import { NarrowBar } from "./screens/shell/narrow-bar.tsx";
import { SidebarDrawer } from "./screens/shell/sidebar-drawer.tsx";
import { Sidebar } from "./screens/shell/sidebar.tsx";
import { useConnection, useLibrary, useNavigation, usePreferences, useSource, useStores } from "./stores/stores.tsx";

/** A screen that is loaded when it is first shown, with its words: the chat is what most visits need, and is there sooner so. */
function later<Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  return lazy(async () => {
    const [screen] = await Promise.all([load(), loadScreenWords()]);
    return { default: screen[name] };
  });
}
const LibraryScreen = later(() => import("./screens/library/library-screen.tsx"), "LibraryScreen");
const ModelsScreen = later(() => import("./screens/models/models-screen.tsx"), "ModelsScreen");
const ToolsScreen = later(() => import("./screens/tools/tools-screen.tsx"), "ToolsScreen");
const SettingsScreen = later(() => import("./screens/settings/settings-screen.tsx"), "SettingsScreen");
const AboutScreen = later(() => import("./screens/about/about-screen.tsx"), "AboutScreen");
const SourcePanel = later(() => import("./screens/source/source-panel.tsx"), "SourcePanel");

const screens = {
  chat: ChatScreen,
  library: LibraryScreen,
  models: ModelsScreen,
  tools: ToolsScreen,
  settings: SettingsScreen,
  about: AboutScreen,
};

/** The whole page: sidebar, the screen that is shown, and the source beside it. */
export function App() {
  const { t } = useTranslation("shell");
  const connection = useConnection((state) => state.connection);
  const view = useNavigation((state) => state.view);
  const sourceOpen = useSource((state) => state.source !== null);
  const sourceWidth = usePreferences((state) => state.sourceWidth);
  const setPreferences = usePreferences((state) => state.set);
  useSourceOfConversation();
  if (connection.kind === "refused") return <AccessKeyScreen reason={connection.reason} />;

  const Screen = screens[view];
  return (
    <DropEverywhere>
      <a
        href="#content"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-md bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0"
      >
        {t("skipToContent")}
      </a>
      <div className="flex min-h-0 flex-1">
        <aside aria-label={t("sidebar")} className="w-68 shrink-0 border-r border-line max-md:hidden">
          <Sidebar />
        </aside>
        <div className="flex min-w-0 flex-1 flex-col">
          <NarrowBar />
          <ConnectionBanner />
          <SplitPane
            className="flex-1"
            label={t("sourceWidth")}
            sideLabel={t("sourcePane")}
            initialWidth={sourceWidth}
            onWidthChange={(width) => setPreferences({ sourceWidth: width })}
            main={
              <main id="content" tabIndex={-1} className="h-full min-w-0 outline-none">
                <Suspense>
                  <Screen />
                </Suspense>
              </main>
            }
            side={
              sourceOpen ? (
                <Suspense>
                  <SourcePanel />
                </Suspense>
              ) : null
            }
          />
        </div>
      </div>
      <SidebarDrawer />
    </DropEverywhere>
  );
}

/** The source beside an answer belongs to its conversation: it closes when another one is shown. */
function useSourceOfConversation() {
  const { chat, source } = useStores();
  useEffect(
    () =>
      chat.subscribe((now, before) => {
        const left = before.conversationId !== null && now.conversationId !== before.conversationId;
        if (left) source.getState().close();
      }),
    [chat, source],
  );
}

/** Takes files wherever they are dropped; the screen that is shown decides where they go. */
function DropEverywhere({ children }: { children: ReactNode }) {
  const { t } = useTranslation("shell");
  const stores = useStores();
  const view = useNavigation((state) => state.view);
  const collection = useLibrary((state) => state.collections.find(({ id }) => id === state.openCollectionId)?.name);
  const ready = useConnection((state) => state.connection.kind === "ready");
  const uploads = useConnection((state) => state.fileTransfer === "upload");
  const onLibrary = collection ? t("dropOnLibrary", { collection }) : t("dropOnNewCollection");
  return (
    <DropZone
      className="flex h-dvh flex-col overflow-hidden bg-canvas"
      disabled={!ready || (view !== "chat" && view !== "library")}
      openFolders={uploads}
      label={view === "library" ? onLibrary : t("dropOnChat")}
      onFiles={(files) => void (view === "library" ? addToLibrary(stores, files) : addToConversation(stores, files))}
    >
      {children}
    </DropZone>
  );
}
