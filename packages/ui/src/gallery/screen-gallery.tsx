import { useState } from "react";
import { SplitPane } from "../components/split-pane.tsx";
import { LibraryScreen } from "../screens/library/library-screen.tsx";
import { ModelsScreen } from "../screens/models/models-screen.tsx";
import { SourcePanel } from "../screens/source/source-panel.tsx";
import { createStores, StoresProvider, useSource } from "../stores/stores.tsx";
import { sampleConnection } from "./sample-connection.ts";
import { sampleCitation } from "./sample-library.ts";

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
      main={<main className="h-full">{screen === "models" ? <ModelsScreen /> : <LibraryScreen />}</main>}
      side={open ? <SourcePanel /> : null}
    />
  );
}
