import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLibraryForEachTest } from "./testing/open-library.ts";

const room = openLibraryForEachTest();

describe("uploads", { timeout: 60_000 }, () => {
  const none = new AbortController().signal;
  async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield Buffer.from(part);
  }
  const kept = () => readdir(join(room.dataDirectory, "files"));

  it("keeps the content once, under a name of its own making, until the last document is gone", async () => {
    const upload = await room.library.addUpload(
      room.collectionId,
      "../../etc/pass\u0000wd.txt",
      pieces("The pass", "word is in the safe."),
      none,
    );
    expect(upload).toMatchObject({ outcome: "added", document: { name: "passwd.txt" } });
    const other = await room.library.createCollection("Other");
    const second = await room.library.addUpload(other.id, "same.txt", pieces("The password is in the safe."), none);
    expect(
      (await room.library.addUpload(other.id, "again.txt", pieces("The password is in the safe."), none)).outcome,
    ).toBe("unchanged");
    expect(await kept()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.text$/)]);
    expect((await room.settled()).map(({ state }) => state)).toEqual(["ready", "ready"]);
    expect(await room.found("password safe")).toHaveLength(2);
    await room.library.removeDocument(upload.document!.id);
    expect(await kept()).toHaveLength(1);
    await room.library.removeCollection(second.document!.collectionId);
    expect(await kept()).toEqual([]);
  });

  it("leaves nothing behind when an upload is aborted, refused or too much for the disk", async () => {
    const stop = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("begin");
      setTimeout(() => stop.abort(), 20);
      await new Promise(() => {});
    }
    await expect(room.library.addUpload(room.collectionId, "a.txt", silent(), stop.signal)).rejects.toMatchObject({
      code: "CANCELLED",
    });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("begin");
      throw new Error("The connection was lost.");
    }
    expect((await room.library.addUpload(room.collectionId, "b.txt", broken(), none)).outcome).toBe("refused");
    const refused = [
      await room.library.addUpload(room.collectionId, "c.exe", pieces("x"), none),
      await room.library.addUpload(room.collectionId, "d.pdf", pieces("not a pdf"), none),
      await room.library.addUpload(room.collectionId, "e.txt", pieces(), none),
    ];
    expect(refused.map(({ error }) => error!.code)).toEqual(["UNSUPPORTED_FILE_TYPE", "FILE_UNREADABLE", "EMPTY_FILE"]);
    const huge = (async function* () {
      const piece = Buffer.alloc(50 * 2 ** 20, 32);
      for (let i = 0; i < 11; i++) yield piece;
    })();
    expect((await room.library.addUpload(room.collectionId, "f.txt", huge, none)).error!.code).toBe("FILE_TOO_LARGE");
    await room.reopen({ freeBytes: async () => 2 ** 30 });
    expect((await room.library.addUpload(room.collectionId, "g.txt", pieces("text"), none)).error!.code).toBe(
      "DISK_FULL",
    );
    expect(await kept()).toEqual([]);
    expect(await room.library.documents()).toEqual([]);
  });

  it("cleans up at the start what an interrupted upload left", async () => {
    await writeFile(join(room.dataDirectory, "files", "tmp-1"), "half");
    await writeFile(join(room.dataDirectory, "files", `${"a".repeat(64)}.text`), "nobody's");
    await room.reopen();
    expect(await kept()).toEqual([]);
  });
});
