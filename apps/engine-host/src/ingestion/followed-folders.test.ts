import { mkdir, readFile, rename, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { FollowedFolder } from "@corral/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { openLibraryForEachTest, until } from "./testing/open-library.ts";

const room = openLibraryForEachTest();
const quick = { settleMs: 100, gatherMs: 20, intervalMs: { following: 60_000, polling: 200, missing: 100 } };
const options = { followTimes: quick };

const folders = async () => room.library.folders();
const ready = async () => {
  const documents = await room.library.documents();
  return documents.filter(({ state }) => state === "ready").map(({ name }) => name);
};
const state = async () => (await folders())[0]!.state;
const sortedReady = async () => (await ready()).sort().join(" ");

async function follow(): Promise<FollowedFolder> {
  return room.library.followFolder(room.collectionId, room.path("papers"));
}
/** A file as it lies there since yesterday. */
async function putOld(name: string, content: string): Promise<string> {
  const path = await room.put(`papers/${name}`, content);
  const yesterday = new Date(Date.now() - 86_400_000);
  await utimes(path, yesterday, yesterday);
  return path;
}

describe("a followed folder", { timeout: 30_000 }, () => {
  beforeEach(async () => {
    await room.reopen(options);
    await mkdir(room.path("papers/sub"), { recursive: true });
  });

  it("brings its files, also those of its folders, and leaves out what programs keep there", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    await putOld("sub/b.md", "# Beech\n\nBeech makes dense shade.");
    await mkdir(room.path("papers/node_modules"));
    for (const name of [".hidden.txt", "~$a.docx", "movie.mp4", "load.txt.part", "node_modules/c.txt"])
      await putOld(name, "Not this one.");
    await symlink("/etc/passwd", room.path("papers/link.txt"));
    await putOld("empty.txt", "");
    await follow();
    await until(async () => (await sortedReady()) === "a.txt b.md");
    await until(async () => (await state()) === "following");
    expect((await room.library.documents()).map(({ name }) => name).sort()).toEqual(["a.txt", "b.md"]);
    expect((await folders())[0]).toMatchObject({ documentCount: 2, refusedCount: 1, error: null });
  });

  it("is being checked until files that were put there a moment ago are in", async () => {
    await room.put("papers/new.txt", "Yew is poisonous.");
    await follow();
    await until(async () => (await state()) === "following");
    expect((await folders())[0]).toMatchObject({ documentCount: 1 });
  });

  it("sees what is added, changed, renamed and deleted", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    await putOld("b.txt", "Beech makes dense shade.");
    await follow();
    await until(async () => (await sortedReady()) === "a.txt b.txt");
    await until(async () => (await state()) === "following");
    const idOf = async (name: string) => (await room.library.documents()).find((one) => one.name === name)?.id;
    const alder = await idOf("a.txt");

    await room.put("papers/sub/c.txt", "Cedar keeps moths away.");
    await until(async () => (await sortedReady()) === "a.txt b.txt c.txt");

    await room.put("papers/b.txt", "Birch is a pioneer.");
    await until(async () => (await room.found("pioneer")).length === 1);
    await until(async () => (await room.found("shade")).length === 0);
    expect(await sortedReady()).toBe("a.txt b.txt c.txt");

    await rename(room.path("papers/a.txt"), room.path("papers/sub/alder.txt"));
    await until(async () => (await sortedReady()) === "alder.txt b.txt c.txt");
    // The document is the same: nothing was read again, and citations still find it.
    expect(await idOf("alder.txt")).toBe(alder);
    expect((await room.store.documents.file(alder!))!.path).toBe(room.path("papers/sub/alder.txt"));

    await unlink(room.path("papers/b.txt"));
    await until(async () => (await sortedReady()) === "alder.txt c.txt");
    expect(await room.found("pioneer")).toEqual([]);
  });

  it("waits for a file that is still being written", async () => {
    await follow();
    await until(async () => (await state()) === "following");
    for (let i = 0; i < 8; i++) {
      await writeFile(room.path("papers/grows.txt"), `Line ${i} of the log.\n`, { flag: "a" });
      await delay(40);
      expect(await ready()).toEqual([]);
    }
    await until(async () => (await sortedReady()) === "grows.txt");
    expect((await room.library.documents()).length).toBe(1);
    expect((await room.found("line 7"))[0]!.text).toContain("Line 7");
  });

  it("that is gone, or empty all of a sudden, takes no documents with it, and goes on when it is back", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    await putOld("sub/b.txt", "Beech makes dense shade.");
    await follow();
    await until(async () => (await sortedReady()) === "a.txt b.txt");
    await until(async () => (await state()) === "following");
    await rename(room.path("papers"), room.path("offline"));
    await until(async () => (await state()) === "missing");
    expect((await folders())[0]!.error).toMatchObject({ code: "FILE_NOT_FOUND" });
    expect(await sortedReady()).toBe("a.txt b.txt");
    // An unmounted share leaves an empty folder behind.
    await mkdir(room.path("papers"));
    await until(async () => ((await folders())[0]!.error?.message ?? "").includes("empty all of a sudden"));
    await delay(200);
    expect(await sortedReady()).toBe("a.txt b.txt");
    await rm(room.path("papers"), { recursive: true });
    await rename(room.path("offline"), room.path("papers"));
    await until(async () => (await state()) === "following");
    await unlink(room.path("papers/a.txt"));
    await until(async () => (await sortedReady()) === "b.txt");
  });

  it("is compared at the next start with what happened meanwhile", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    await putOld("b.txt", "Beech makes dense shade.");
    await putOld("c.txt", "Cedar keeps moths away.");
    await follow();
    await until(async () => (await sortedReady()) === "a.txt b.txt c.txt");
    await until(async () => (await state()) === "following");
    const before = new Map((await room.library.documents()).map(({ id, name }) => [name, id]));
    await room.reopen({
      ...options,
      // Between closing and opening: deleted, moved, added.
      followTimes: { ...quick, gatherMs: 20 },
    });
    await unlink(room.path("papers/b.txt"));
    await rename(room.path("papers/c.txt"), room.path("papers/sub/cedar.txt"));
    await putOld("d.txt", "Dogwood flowers early.");
    await room.reopen(options);
    await until(async () => (await sortedReady()) === "a.txt cedar.txt d.txt");
    const after = new Map((await room.library.documents()).map(({ id, name }) => [name, id]));
    expect(after.get("a.txt")).toBe(before.get("a.txt"));
    expect(after.get("cedar.txt")).toBe(before.get("c.txt"));
  });

  it("does not bring back what was removed by hand, until it changes", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    await putOld("b.txt", "Beech makes dense shade.");
    await follow();
    await until(async () => (await sortedReady()) === "a.txt b.txt");
    await until(async () => (await state()) === "following");
    const beech = (await room.library.documents()).find(({ name }) => name === "b.txt")!;
    await room.library.removeDocument(beech.id);
    await room.put("papers/c.txt", "Cedar keeps moths away.");
    await until(async () => (await sortedReady()) === "a.txt c.txt");
    await room.put("papers/b.txt", "Beech again.");
    await until(async () => (await sortedReady()) === "a.txt b.txt c.txt");
  });

  it("keeps one document of two files with the same content, as long as one of them is there", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    await putOld("sub/copy.txt", "Alder grows by the water.");
    await follow();
    await until(async () => (await state()) === "following");
    await until(async () => (await ready()).length === 1);
    const [document] = await room.library.documents();
    await unlink((await room.store.documents.file(document!.id))!.path);
    await until(async () => (await folders())[0]!.documentCount === 1 && (await state()) === "following");
    await delay(100);
    expect(await ready()).toHaveLength(1);
    const left = (await room.store.documents.file(document!.id))!.path;
    expect(await readFile(left, "utf8")).toContain("Alder");
  });

  it("is no longer followed when it is told so; documents stay unless they are to go", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    const folder = await follow();
    expect((await follow()).id).toBe(folder.id);
    await until(async () => (await sortedReady()) === "a.txt");
    await until(async () => (await state()) === "following");
    await room.library.unfollowFolder(folder.id, false);
    await putOld("b.txt", "Beech makes dense shade.");
    await delay(300);
    expect(await folders()).toEqual([]);
    expect(await sortedReady()).toBe("a.txt");
    const again = await follow();
    await until(async () => (await sortedReady()) === "a.txt b.txt");
    await until(async () => (await state()) === "following");
    await room.library.unfollowFolder(again.id, true);
    expect(await room.library.documents()).toEqual([]);
    await room.library.unfollowFolder(again.id, true);
  });

  it("goes with its collection", async () => {
    await putOld("a.txt", "Alder grows by the water.");
    await follow();
    await until(async () => (await sortedReady()) === "a.txt");
    await room.library.removeCollection(room.collectionId);
    expect(await folders()).toEqual([]);
    await putOld("b.txt", "Beech makes dense shade.");
    await delay(200);
    expect(await room.library.documents()).toEqual([]);
  });

  it("must be a folder that is there", async () => {
    const file = await putOld("a.txt", "Alder.");
    const { library, collectionId } = room;
    await expect(library.followFolder(collectionId, file)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(library.followFolder(collectionId, room.path("nowhere"))).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    await expect(library.followFolder("nowhere", room.path("papers"))).rejects.toMatchObject({
      code: "COLLECTION_NOT_FOUND",
    });
  });
});
