import type { DatabaseSync } from "node:sqlite";
import type { Conversation, ConversationSettings, ConversationSummary, Message } from "@corral/protocol";
import { row, rows } from "./database.ts";
import { foldForSearch, searchWords, snippetOf } from "./message-search.ts";
import { conversationNotFound, messageNotFound } from "./messages.ts";
import type { ConversationTable, MessageTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";
import { uuidv7 } from "./uuid.ts";

interface ConversationRow {
  key: number;
  id: string;
  title: string;
  settings: string;
  headId: string | null;
  createdAt: string;
  updatedAt: string;
}

/** Chats. `head_key` names the last message of the active branch. */
export function conversationTable(
  database: DatabaseSync,
  messages: Synchronous<MessageTable>,
): Synchronous<ConversationTable> {
  const select = `
    SELECT conversations.key, conversations.id, title, settings, messages.id AS headId,
      conversations.created_at AS createdAt, conversations.updated_at AS updatedAt
    FROM conversations LEFT JOIN messages ON messages.key = conversations.head_key`;
  const list = database.prepare(`${select} ORDER BY updated_at DESC, conversations.key DESC`);
  const byId = database.prepare(`${select} WHERE conversations.id = ?`);
  // A word stands in a text when instr finds it; every word of the search must.
  const titlesWithAll = database.prepare(
    `SELECT key FROM conversations
     WHERE NOT EXISTS (SELECT 1 FROM json_each(?) AS word WHERE instr(search_title, word.value) = 0)`,
  );
  const newestMessageWithAll = database.prepare(
    `SELECT conversation_key AS conversationKey, max(key) AS key, text FROM messages
     WHERE NOT EXISTS (SELECT 1 FROM json_each(?) AS word WHERE instr(search_text, word.value) = 0)
     GROUP BY conversation_key`,
  );
  const insert = database.prepare(
    `INSERT INTO conversations (id, title, search_title, settings, created_at, updated_at) VALUES (?, '', '', ?, ?, ?)`,
  );
  const rename = database.prepare("UPDATE conversations SET title = ?, search_title = ? WHERE key = ?");
  const configure = database.prepare("UPDATE conversations SET settings = ? WHERE key = ?");
  const clearHead = database.prepare("UPDATE conversations SET head_key = NULL WHERE id = ?");
  const removeMessages = database.prepare(
    "DELETE FROM messages WHERE conversation_key = (SELECT key FROM conversations WHERE id = ?)",
  );
  const remove = database.prepare("DELETE FROM conversations WHERE id = ?");
  const newestLeaf = database.prepare(`
    WITH RECURSIVE branch (key) AS (
      SELECT key FROM messages WHERE id = ?
      UNION ALL SELECT (SELECT max(messages.key) FROM messages WHERE parent_key = branch.key) FROM branch
        WHERE branch.key IS NOT NULL
    )
    SELECT max(key) AS key FROM branch`);
  const setHead = database.prepare("UPDATE conversations SET head_key = ? WHERE id = ?");

  function existing(id: string): ConversationRow {
    const found = row<ConversationRow>(byId, id);
    if (!found) throw conversationNotFound(id);
    return found;
  }

  function conversationOf(found: ConversationRow): Conversation {
    return {
      ...summaryOf(found, null),
      settings: JSON.parse(found.settings) as ConversationSettings,
      messages: found.headId === null ? [] : messages.path(found.headId),
    };
  }

  return {
    list(search) {
      const all = rows<ConversationRow>(list);
      const words = searchWords(search);
      if (words.length === 0) return all.map((found) => summaryOf(found, null));
      const wanted = JSON.stringify(words);
      const titles = new Set(rows<{ key: number }>(titlesWithAll, wanted).map(({ key }) => key));
      const snippets = new Map(
        rows<{ conversationKey: number; text: string }>(newestMessageWithAll, wanted).map(
          ({ conversationKey, text }) => [conversationKey, snippetOf(text, words)],
        ),
      );
      return all
        .filter(({ key }) => titles.has(key) || snippets.has(key))
        .map((found) => summaryOf(found, snippets.get(found.key) ?? null));
    },
    get: (id) => conversationOf(existing(id)),
    create(settings) {
      const id = uuidv7();
      const now = new Date().toISOString();
      insert.run(id, JSON.stringify(settings), now, now);
      return conversationOf(existing(id));
    },
    rename(id, title) {
      rename.run(title, foldForSearch(title), existing(id).key);
      return summaryOf(existing(id), null);
    },
    configure(id, settings) {
      const found = existing(id);
      const changed = Object.entries(settings).filter(([, value]) => value !== undefined);
      const merged = { ...(JSON.parse(found.settings) as ConversationSettings), ...Object.fromEntries(changed) };
      configure.run(JSON.stringify(merged), found.key);
      return conversationOf(existing(id));
    },
    remove(id) {
      clearHead.run(id);
      removeMessages.run(id);
      remove.run(id);
    },
    selectVersion(messageId) {
      const message: Message | null = messages.get(messageId);
      if (!message) throw messageNotFound(messageId);
      setHead.run(row<{ key: number }>(newestLeaf, messageId)!.key, message.conversationId);
      return conversationOf(existing(message.conversationId));
    },
  };
}

function summaryOf({ id, title, createdAt, updatedAt }: ConversationRow, snippet: string | null): ConversationSummary {
  return { id, title, createdAt, updatedAt, snippet };
}
