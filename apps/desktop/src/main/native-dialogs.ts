import type { BrowserWindow, Dialog } from "electron";
import type { HostState } from "./engine-host-process.ts";

/** Endings offered by the open dialog, source code under "All files"; engine-host decides by content what it really reads. */
const documentExtensions =
  "pdf docx pptx xlsx odt odp ods rtf epub html htm xhtml md markdown txt csv tsv json jsonl ndjson eml mbox zip png jpg jpeg tif tiff bmp".split(
    " ",
  );

/** Lets the user pick documents or folders; empty when cancelled. */
export async function pickDocuments(dialog: Pick<Dialog, "showOpenDialog">, window: BrowserWindow): Promise<string[]> {
  const answer = await dialog.showOpenDialog(window, {
    title: "Add documents",
    properties: ["openFile", "multiSelections"],
    filters: [
      { name: "Documents", extensions: documentExtensions },
      { name: "All files", extensions: ["*"] },
    ],
  });
  return answer.canceled ? [] : answer.filePaths;
}

/** Lets the user pick a folder; null when cancelled. */
export async function pickFolder(
  dialog: Pick<Dialog, "showOpenDialog">,
  window: BrowserWindow,
): Promise<string | null> {
  const answer = await dialog.showOpenDialog(window, { title: "Follow a folder", properties: ["openDirectory"] });
  return answer.canceled ? null : (answer.filePaths[0] ?? null);
}

/** Says why the host could not start. True: try again; false: quit. */
export async function askAfterFailure(
  dialog: Pick<Dialog, "showMessageBox">,
  failure: Extract<HostState, { kind: "failed" }>,
): Promise<boolean> {
  const answer = await dialog.showMessageBox({
    type: "error",
    title: "Corral",
    message: "Corral could not start",
    detail: failure.message,
    buttons: ["Try again", "Quit"],
    defaultId: 0,
    cancelId: 1,
  });
  return answer.response === 0;
}
