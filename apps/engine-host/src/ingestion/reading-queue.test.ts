import { execFile } from "node:child_process";
import { unlink } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { LibraryOptions } from "./create-library.ts";
import { openLibraryForEachTest, until } from "./testing/open-library.ts";
import { longPdf } from "./testing/pdf-files.ts";

const room = openLibraryForEachTest();

describe("the reading queue", { timeout: 60_000 }, () => {
  it("tells the progress of a document, and cancels it for good", async () => {
    const [result] = await room.add(await room.put("long.pdf", longPdf()));
    const id = result!.document!.id;
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const event of room.library.watch(stop.signal)) {
      if (event.type === "document" && event.document.progress) seen.push(event.document.progress);
      if (seen.length === 3) break;
    }
    stop.abort();
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen[2]).toBeGreaterThan(0);
    expect(seen[2]).toBeLessThan(1);
    expect((await room.library.cancel(id)).state).toBe("cancelled");
    // The next file is read, and the cancelled one stays as it is until it is asked for again.
    await room.add(await room.put("short.txt", "A short text."));
    expect((await room.settled()).map(({ state }) => state)).toEqual(["cancelled", "ready"]);
    expect(await room.found("long document")).toEqual([]);
    expect((await room.library.retry(id)).state).toBe("queued");
    await until(async () => (await room.library.documents())[0]!.state === "reading");
    await room.library.removeDocument(id);
    expect((await room.settled()).map(({ name }) => name)).toEqual(["short.txt"]);
    await expect(room.library.cancel(id)).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
  });

  it("cancels and removes documents that wait", async () => {
    const files = await Promise.all([1, 2].map(async (n) => room.put(`long${n}.pdf`, longPdf(String(n)))));
    const results = await room.add(...files, await room.put("c.txt", "C waits."), await room.put("d.txt", "D waits."));
    const ids = results.map(({ document }) => document!.id);
    expect((await room.library.cancel(ids[2]!)).state).toBe("cancelled");
    await room.library.removeDocument(ids[3]!);
    await room.library.cancel(ids[0]!);
    await room.library.cancel(ids[1]!);
    expect((await room.settled()).map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled"]);
  });

  it("goes on after a worker died: that file fails with a reason, the next one is read", async () => {
    const [result] = await room.add(await room.put("long.pdf", longPdf()));
    await until(async () => ((await room.library.documents())[0]!.progress ?? 0) > 0);
    for (const pid of await childProcesses()) process.kill(pid, "SIGKILL");
    const [document] = await room.settled();
    expect(document).toMatchObject({ id: result!.document!.id, state: "failed", error: { code: "FILE_UNREADABLE" } });
    expect(document!.error!.message).toContain("stopped unexpectedly");
    await room.add(await room.put("next.txt", "The next text."));
    expect((await room.settled())[1]).toMatchObject({ name: "next.txt", state: "ready" });
  });

  it("gives up on a file that needs too much time, memory or room", async () => {
    const file = await room.put("long.pdf", longPdf());
    const cases: [Partial<LibraryOptions>, string][] = [
      [{ timeoutFor: () => 700 }, "time"],
      [{ workers: { memoryBytes: 150 * 2 ** 20 } }, "memory"],
      [
        { limits: { pages: 5000, recognisedPages: 10, characters: 10_000, fileBytes: 1e6, unpackedBytes: 1e6 } },
        "output",
      ],
    ];
    for (const [options, limit] of cases) {
      await room.reopen(options);
      await room.add(file);
      const [document] = await room.settled();
      expect(document).toMatchObject({ state: "failed", error: { code: "PARSE_LIMIT", data: { limit } } });
    }
  });

  it("goes on after a restart with what was left unfinished", async () => {
    await room.add(await room.put("long.pdf", longPdf("", 300)), await room.put("a.txt", "Kept for later."));
    await room.reopen();
    const documents = await room.settled();
    expect(documents.map(({ name, state }) => [name, state])).toEqual([
      ["long.pdf", "ready"],
      ["a.txt", "ready"],
    ]);
    expect(documents[0]!.pageCount).toBe(300);
  });

  it("says so when a file was moved or changed before it could be read", async () => {
    const a = await room.put("long.pdf", longPdf());
    const b = await room.put("long2.pdf", longPdf("2"));
    const results = await room.add(a, b, await room.put("c.txt", "C text."), await room.put("d.txt", "D text."));
    await unlink(room.path("c.txt"));
    await room.put("d.txt", "D is another text now.");
    for (const { document } of results.slice(0, 2)) await room.library.cancel(document!.id);
    expect((await room.settled()).slice(2).map(({ error }) => error?.code)).toEqual([
      "FILE_NOT_FOUND",
      "FILE_NOT_FOUND",
    ]);
  });
});

/** Process ids of this process's ingestion workers. */
async function childProcesses(): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)]);
  const lines = stdout.split("\n").filter((line) => line.includes("ingestion-worker"));
  return lines.map((line) => Number(line.trim().split(/\s+/)[0]));
}
