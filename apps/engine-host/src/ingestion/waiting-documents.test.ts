import { expect, it } from "vitest";
import { WaitingDocuments } from "./waiting-documents.ts";

const all = (waiting: WaitingDocuments) => {
  const ids: string[] = [];
  for (let id = waiting.next(); id !== null; id = waiting.next()) ids.push(id);
  return ids;
};

it("collections take turns; a file dropped in a chat does not wait behind a large folder", () => {
  const waiting = new WaitingDocuments();
  for (let i = 0; i < 4; i++) waiting.add({ id: `archive ${i}`, collectionId: "archive", followed: false });
  waiting.add({ id: "dropped", collectionId: "chat", followed: false });
  expect(all(waiting)).toEqual(["archive 0", "dropped", "archive 1", "archive 2", "archive 3"]);
});

it("what followed folders bring comes after all that somebody added", () => {
  const waiting = new WaitingDocuments();
  waiting.add({ id: "followed 0", collectionId: "c", followed: true });
  waiting.add({ id: "followed 1", collectionId: "c", followed: true });
  waiting.add({ id: "added 0", collectionId: "c", followed: false });
  // Somebody asks for one that a folder brought.
  waiting.add({ id: "followed 1", collectionId: "c", followed: false });
  expect(waiting.delete("nowhere")).toBe(false);
  expect(all(waiting)).toEqual(["added 0", "followed 1", "followed 0"]);
});
