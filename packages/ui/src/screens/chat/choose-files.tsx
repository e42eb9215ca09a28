import { useRef } from "react";
import { Button, type ButtonProps } from "../../components/button.tsx";
import { useConnection, useStores } from "../../stores/stores.tsx";
import { addToConversation } from "../drop/add-dropped-files.ts";

/** Opens the browser's file dialog and adds what is chosen to the open conversation. */
export function useChooseFiles(): { choose: () => void; input: React.ReactNode } {
  const stores = useStores();
  const field = useRef<HTMLInputElement>(null);
  const accepted = useConnection((state) =>
    state.connection.kind === "ready" ? state.connection.host.supportedFileTypes.join(",") : "",
  );
  const input = (
    <input
      ref={field}
      type="file"
      multiple
      hidden
      accept={accepted}
      onChange={(event) => {
        const files = [...(event.target.files ?? [])];
        // The same file can be chosen again right after.
        event.target.value = "";
        if (files.length > 0) void addToConversation(stores, files);
      }}
    />
  );
  return { choose: () => field.current?.click(), input };
}

/** The dialog behind a button. */
export function ChooseFilesButton(props: Omit<ButtonProps, "onClick">) {
  const { choose, input } = useChooseFiles();
  return (
    <>
      <Button {...props} onClick={choose} />
      {input}
    </>
  );
}
