// @vitest-environment happy-dom
import { ORPCError } from "@orpc/client";
import type { FollowedFolder } from "@corral/protocol";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../../connection/connection.ts";
import { sampleConnection } from "../../gallery/sample-connection.ts";
import { sampleCollections, sampleFolders } from "../../gallery/sample-library.ts";
import { loadScreenWords, startLocales } from "../../locales/locales.ts";
import { createStores, StoresProvider, type Stores } from "../../stores/stores.tsx";
import { CollectionView } from "./collection-view.tsx";

const watchFolder = vi.fn<(input: { collectionId: string; path: string }) => Promise<FollowedFolder>>();
const unwatchFolder = vi.fn<(input: { folderId: string }) => Promise<void>>();
let stores: Stores;
let root: Root;

beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await startLocales();
  await loadScreenWords();
});
beforeEach(async () => {
  watchFolder.mockImplementation(({ path }) => Promise.resolve({ ...sampleFolders[0]!, id: "f9", path }));
  unwatchFolder.mockResolvedValue();
  const sample = sampleConnection(false);
  const library = { ...(sample.client.library as object), watchFolder, unwatchFolder };
  const connection = { ...sample, client: { ...(sample.client as object), library } } as unknown as Connection;
  stores = createStores(connection);
  root = createRoot(document.body.appendChild(document.createElement("div")));
  await act(async () => {
    root.render(
      <StoresProvider stores={stores}>
        <CollectionView collection={sampleCollections[0]!} />
      </StoresProvider>,
    );
    await settled();
  });
  const tab = [...document.querySelectorAll<HTMLElement>("[role=tab]")].find((one) =>
    one.textContent.includes("Folders"),
  )!;
  await act(async () => {
    tab.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, button: 0 }));
    await settled();
  });
});
afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
  vi.clearAllMocks();
});
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const button = (name: string) =>
  [...document.querySelectorAll("button")].find(
    (one) => one.textContent === name || one.getAttribute("aria-label") === name,
  )!;

async function follow(path: string): Promise<void> {
  const field = document.querySelector<HTMLInputElement>("form input")!;
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!.set!.call(field, path);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await settled();
  });
  await act(async () => {
    document.querySelector("form")!.requestSubmit();
    await settled();
  });
}

test("each followed folder tells its state, how much it brought, and why it is missing", () => {
  const lines = [...document.querySelectorAll("section[aria-labelledby=followed-folders] li")];
  expect(lines.map((line) => line.textContent)).toHaveLength(2);
  expect(lines[0]!.textContent).toContain("/srv/share/personnel");
  expect(lines[0]!.textContent).toContain("1,002 documents · 1 file could not be taken");
  expect(lines[0]!.textContent).toContain("Following");
  expect(lines[1]!.textContent).toContain("Not there");
  expect(lines[1]!.textContent).toContain("check its place");
});

test("a folder is followed by its path; one that is none says so at the field", async () => {
  await follow("/srv/more");
  expect(watchFolder.mock.calls[0]![0]).toEqual({ collectionId: "c1", path: "/srv/more" });
  expect(document.querySelectorAll("section[aria-labelledby=followed-folders] li")).toHaveLength(3);
  expect(document.querySelector<HTMLInputElement>("form input")!.value).toBe("");
  watchFolder.mockRejectedValue(
    new ORPCError("FILE_NOT_FOUND", { defined: true, data: { file: "/x" }, message: "/x is not there (any more)." }),
  );
  await follow("/x");
  expect(document.querySelector("form")!.textContent).toContain("/x is not there");
});

test("stopping asks first", async () => {
  await act(async () => {
    button("Stop following /mnt/scans").click();
    await settled();
  });
  expect(unwatchFolder).not.toHaveBeenCalled();
  await act(async () => {
    button("Stop following").click();
    await settled();
  });
  expect(unwatchFolder.mock.calls[0]![0]).toMatchObject({ folderId: "f2" });
});

test("what the collection takes is told by part", () => {
  const bar = document.querySelector("[aria-labelledby=collection-space] [role=img]")!;
  expect(bar.getAttribute("aria-label")).toBe(
    "Copies of uploads 50 MiB, Text 40 MiB, Search index 18 MiB, Vectors 8 MiB",
  );
  expect(document.body.textContent).toContain("Its files take 1.1 GiB where they lie.");
});
