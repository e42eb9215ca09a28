import type { LibraryEvent } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { openLibraryForEachTest, until } from "./testing/open-library.ts";

const room = openLibraryForEachTest();

describe("watching the library", { timeout: 60_000 }, () => {
  it("begins with a snapshot and tells every watcher each change", async () => {
    const stop = new AbortController();
    const events: LibraryEvent[][] = [[], []];
    const watching = events.map(async (list) => {
      for await (const event of room.library.watch(stop.signal)) list.push(event);
    });
    await until(() => events.every((list) => list.length === 1));
    const [result] = await room.add(await room.put("a.txt", "A text."));
    await room.settled();
    await room.library.removeDocument(result!.document!.id);
    await room.library.renameCollection(room.collectionId, "Renamed");
    await room.library.removeCollection(room.collectionId);
    await until(() => events.every((list) => list.at(-1)?.type === "collection-removed"));
    stop.abort();
    await Promise.all(watching);
    for (const list of events) {
      expect(list[0]).toMatchObject({ type: "snapshot", collections: [{ name: "Papers" }], documents: [] });
      const states = list.flatMap((event) => (event.type === "document" ? [event.document.state] : []));
      expect(states[0]).toBe("queued");
      expect(states.at(-1)).toBe("ready");
      expect(list.some((event) => event.type === "document-removed")).toBe(true);
    }
  });

  it("keeps only the newest state of each document for a watcher that does not keep up", async () => {
    const stop = new AbortController();
    const watch = room.library.watch(stop.signal)[Symbol.asyncIterator]();
    await watch.next();
    await room.add(await room.put("a.txt", "A text."), await room.put("b.txt", "B text."));
    await room.settled();
    await until(async () => (await room.library.collections())[0]!.chunkCount === 2);
    const rest: LibraryEvent[] = [];
    for (let i = 0; i < 3; i++) rest.push((await watch.next()).value as LibraryEvent);
    expect(rest.map((event) => (event.type === "document" ? event.document.state : event.type)).sort()).toEqual([
      "collection",
      "ready",
      "ready",
    ]);
    stop.abort();
    expect((await watch.next()).done).toBe(true);
  });
});
