import type { Message, SearchHit } from "@corral/protocol";

/** A message with plain values where the test does not care. */
export function sampleMessage(given: Partial<Message> = {}): Message {
  return {
    id: "reply",
    conversationId: "conversation",
    parentId: null,
    role: "assistant",
    text: "",
    state: "streaming",
    createdAt: "2026-01-01T00:00:00.000Z",
    model: "model",
    steps: [],
    summary: null,
    citations: [],
    retrieval: null,
    timings: null,
    usage: null,
    finishReason: null,
    error: null,
    versions: [],
    ...given,
  };
}

/** A passage that is the whole first page of its document. */
export function samplePassage(text: string, given: Partial<SearchHit> = {}): SearchHit {
  return {
    chunkId: "chunk",
    documentId: "document",
    document: "guide.pdf",
    collectionId: "collection",
    page: 1,
    headingPath: [],
    text,
    spans: [{ page: 1, start: 0, end: text.length }],
    score: 1,
    legs: { lexical: { rank: 1, score: 1 }, dense: null, rerank: null },
    ...given,
  };
}
