import { useState } from "react";
import { Button } from "../components/button.tsx";
import { SplitPane } from "../components/split-pane.tsx";
import { AssistantMessage } from "../screens/chat/assistant-message.tsx";
import { ConversationSettingsDialog } from "../screens/chat/conversation-settings.tsx";
import { LibraryScreen } from "../screens/library/library-screen.tsx";
import { ModelsScreen } from "../screens/models/models-screen.tsx";
import { SettingsScreen } from "../screens/settings/settings-screen.tsx";
import { SourcePanel } from "../screens/source/source-panel.tsx";
import { ToolsScreen } from "../screens/tools/tools-screen.tsx";
import { createStores, StoresProvider, useSource, useStores } from "../stores/stores.tsx";
import { sampleConnection } from "./sample-connection.ts";
import { sampleCitation } from "./sample-library.ts";
import { sampleOverflow, sampleToolAnswer } from "./sample-tools.ts";

/** A screen over sample data. `source` is the library with a citation open beside it. */
export function ScreenGallery({ screen }: { screen: string }) {
  const [stores] = useState(() => {
    const created = createStores(sampleConnection(screen === "empty"));
    if (screen === "source") created.source.getState().openCitation(sampleCitation, [sampleCitation], 12);
    return created;
  });
  return (
    <StoresProvider stores={stores}>
      <Page screen={screen} />
    </StoresProvider>
  );
}

function Page({ screen }: { screen: string }) {
  const open = useSource((state) => state.source !== null);
  return (
    <SplitPane
      className="h-dvh bg-canvas"
      label="Width of the source panel"
      sideLabel="Source"
      main={
        <main className="h-full">
          <Screen screen={screen} />
        </main>
      }
      side={open ? <SourcePanel /> : null}
    />
  );
}

function Screen({ screen }: { screen: string }) {
  if (screen === "models") return <ModelsScreen />;
  if (screen === "settings") return <SettingsScreen />;
  if (screen === "tools") return <ToolsScreen />;
  if (screen === "tool-calls") return <ToolCalls />;
  return <LibraryScreen />;
}

/** An answer with a call in each of its states, one that did not fit, and the settings of a conversation. */
function ToolCalls() {
  const { chat } = useStores();
  const [settingsOpen, setSettingsOpen] = useState(false);
  useState(() => chat.setState({ messages: [sampleToolAnswer, sampleOverflow] }));
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-6 p-5">
        <h1 className="text-xl font-semibold">Tool calls</h1>
        <AssistantMessage message={sampleToolAnswer} />
        <AssistantMessage message={sampleOverflow} />
        <Button onClick={() => setSettingsOpen(true)}>Settings</Button>
        <ConversationSettingsDialog open={settingsOpen} onOpenChange={setSettingsOpen} />
      </div>
    </div>
  );
}
