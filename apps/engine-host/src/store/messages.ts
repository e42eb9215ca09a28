import type { DatabaseSync } from "node:sqlite";
import { CorralError, type Message, type ToolStep } from "@corral/protocol";
import { row, rows } from "./database.ts";
import { endedSteps } from "./ended-steps.ts";
import { foldForSearch } from "./message-search.ts";
import type { MessageTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";
import { uuidv7 } from "./uuid.ts";

type Json = "steps" | "summary" | "citations" | "retrieval" | "timings" | "usage" | "error";

interface MessageRow extends Omit<Message, Json | "versions"> {
  key: number;
  parentKey: number | null;
  conversationKey: number;
  steps: string;
  summary: string | null;
  citations: string;
  retrieval: string | null;
  timings: string | null;
  usage: string | null;
  error: string | null;
}

/** The messages of a conversation form a tree: editing or regenerating adds a sibling. Children are never moved. */
export function messageTable(database: DatabaseSync): Synchronous<MessageTable> {
  const select = `
    SELECT message.key, message.parent_key AS parentKey, message.conversation_key AS conversationKey, message.id,
      conversations.id AS conversationId, parent.id AS parentId, message.role, message.text, message.state,
      message.created_at AS createdAt, message.model, message.steps, message.summary, message.citations,
      message.retrieval, message.timings, message.usage, message.finish_reason AS finishReason, message.error
    FROM messages AS message
    JOIN conversations ON conversations.key = message.conversation_key
    LEFT JOIN messages AS parent ON parent.key = message.parent_key`;
  const byId = database.prepare(`${select} WHERE message.id = ?`);
  const path = database.prepare(`
    WITH RECURSIVE path (key) AS (
      SELECT key FROM messages WHERE id = ?
      UNION ALL SELECT messages.parent_key FROM messages JOIN path ON messages.key = path.key
        WHERE messages.parent_key IS NOT NULL
    )
    ${select} WHERE message.key IN (SELECT key FROM path) ORDER BY message.key`);
  const versions = database.prepare(
    "SELECT id FROM messages WHERE conversation_key = ? AND parent_key IS ? AND role = ? ORDER BY key",
  );
  const conversation = database.prepare("SELECT key FROM conversations WHERE id = ?");
  const insert = database.prepare(
    `INSERT INTO messages (id, conversation_key, parent_key, role, text, search_text, state, model, citations, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, '[]', ?)`,
  );
  const setHead = database.prepare("UPDATE conversations SET head_key = ?, updated_at = ? WHERE key = ?");
  const touch = database.prepare("UPDATE conversations SET updated_at = ? WHERE key = ?");
  const saveProgress = database.prepare("UPDATE messages SET text = ?, steps = ? WHERE id = ? AND state = 'streaming'");
  const finish = database.prepare(
    `UPDATE messages SET text = ?, search_text = ?, state = ?, citations = ?, retrieval = ?, timings = ?, usage = ?,
       finish_reason = ?, error = ?, model = ?, steps = ?, summary = ? WHERE id = ?`,
  );
  const streaming = database.prepare("SELECT key, text, steps FROM messages WHERE state = 'streaming'");
  const interrupt = database.prepare(
    "UPDATE messages SET state = 'interrupted', search_text = ?, steps = ? WHERE key = ?",
  );

  function messageOf({ key: _key, parentKey, conversationKey, ...found }: MessageRow): Message {
    return {
      ...found,
      steps: JSON.parse(found.steps) as Message["steps"],
      summary: parsed<Message["summary"]>(found.summary),
      citations: JSON.parse(found.citations) as Message["citations"],
      retrieval: parsed<Message["retrieval"]>(found.retrieval),
      timings: parsed<Message["timings"]>(found.timings),
      usage: parsed<Message["usage"]>(found.usage),
      error: parsed<Message["error"]>(found.error),
      versions: rows<{ id: string }>(versions, conversationKey, parentKey, found.role).map(({ id }) => id),
    };
  }

  function existing(id: string): MessageRow {
    const found = row<MessageRow>(byId, id);
    if (!found) throw messageNotFound(id);
    return found;
  }

  return {
    get(id) {
      const found = row<MessageRow>(byId, id);
      return found ? messageOf(found) : null;
    },
    path: (id) => rows<MessageRow>(path, id).map(messageOf),
    add({ conversationId, parentId, role, text, state, model }) {
      const owner = row<{ key: number }>(conversation, conversationId);
      if (!owner) throw conversationNotFound(conversationId);
      const parent = parentId === null ? null : existing(parentId);
      if (parent && parent.conversationKey !== owner.key) throw messageNotFound(parent.id);
      const id = uuidv7();
      const now = new Date().toISOString();
      const searchText = foldForSearch(text);
      const { lastInsertRowid } = insert.run(
        id,
        owner.key,
        parent?.key ?? null,
        role,
        text,
        searchText,
        state,
        model,
        now,
      );
      setHead.run(lastInsertRowid, now, owner.key);
      return messageOf(existing(id));
    },
    saveProgress: (id, { text, steps }) => void saveProgress.run(text, JSON.stringify(steps), id),
    finish(id, result) {
      const { text, state, citations, retrieval, timings, usage, finishReason, error, model } = result;
      const { steps = [], summary = null } = result;
      const before = existing(id);
      finish.run(
        text,
        foldForSearch(text),
        state,
        JSON.stringify(citations),
        retrieval && JSON.stringify(retrieval),
        timings && JSON.stringify(timings),
        usage && JSON.stringify(usage),
        finishReason,
        error && JSON.stringify(error),
        model === undefined ? before.model : model,
        JSON.stringify(steps),
        summary && JSON.stringify(summary),
        id,
      );
      touch.run(new Date().toISOString(), before.conversationKey);
      return messageOf(existing(id));
    },
    interruptUnfinished() {
      const unfinished = rows<{ key: number; text: string; steps: string }>(streaming);
      for (const { key, text, steps } of unfinished) {
        interrupt.run(foldForSearch(text), JSON.stringify(endedSteps(JSON.parse(steps) as ToolStep[])), key);
      }
      return unfinished.length;
    },
  };
}

function parsed<Value>(json: string | null): Value | null {
  return json === null ? null : (JSON.parse(json) as Value);
}

export function messageNotFound(id: string): CorralError {
  return new CorralError("MESSAGE_NOT_FOUND", `There is no message ${id}; its conversation may have been removed.`, {
    message: id,
  });
}

export function conversationNotFound(id: string): CorralError {
  return new CorralError("CONVERSATION_NOT_FOUND", `There is no conversation ${id}; it may have been removed.`, {
    conversation: id,
  });
}
