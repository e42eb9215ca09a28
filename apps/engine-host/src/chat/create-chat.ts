import {
  CorralError,
  defaultConversationSettings,
  type Conversation,
  type ConversationSettings,
  type ConversationSummary,
  type GenerationPart,
  type Message,
} from "@corral/protocol";
import type { Logger } from "../logger.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { Store } from "../store/store.ts";
import type { Chat } from "./chat.ts";
import { systemClock, type Clock } from "./clock.ts";
import { ContextMeter } from "./context-meter.ts";
import { ConversationEvents } from "./conversation-events.ts";
import { titleOf } from "./conversation-title.ts";
import { generateReply, type ChatModels, type ReplyTask } from "./generate-reply.ts";
import { RunningReplies, type WriteReply } from "./running-replies.ts";
import { describeTools, toolsOf, type McpTools } from "./tools/tool-set.ts";

/** What chat is built from. Whoever made these disposes of them, after chat. */
export interface ChatParts {
  store: Store;
  retrieval: Retrieval;
  models: ChatModels;
  mcp: McpTools;
  logger: Logger;
  clock?: Clock;
}

export function createChat(parts: ChatParts): Chat {
  const { store, models } = parts;
  const services = { clock: systemClock, ...parts };
  const running = new RunningReplies(services.clock);
  const events = new ConversationEvents();
  const meter = new ContextMeter(models, services.clock);

  const announce = (conversation: ConversationSummary) => {
    const { id, title, createdAt, updatedAt, snippet } = conversation;
    events.publish({ type: "changed", conversation: { id, title, createdAt, updatedAt, snippet } });
  };
  const announced = <Kind extends ConversationSummary>(conversation: Kind): Kind => {
    announce(conversation);
    return conversation;
  };

  /** Stores an empty reply under a question and says how it will be written. */
  async function addReply(
    question: Message,
    history: Message[],
    settings: ConversationSettings,
    seed: number | null,
  ): Promise<{ reply: Message; write: WriteReply }> {
    const reply = await store.messages.add({
      conversationId: question.conversationId,
      parentId: question.id,
      role: "assistant",
      text: "",
      state: "streaming",
      // The list starts with the default model.
      model: settings.model ?? (await models.list())[0]?.id ?? null,
    });
    const task: ReplyTask = { question, reply, history, settings, seed };
    const write: WriteReply = async (live, signal) => {
      const message = await generateReply(task, services, live, signal);
      await store.conversations.get(question.conversationId).then(announce, () => {
        // Removed meanwhile, which was announced then.
      });
      return message;
    };
    return { reply, write };
  }

  async function existing(messageId: string): Promise<Message> {
    const message = await store.messages.get(messageId);
    if (message !== null) return message;
    throw new CorralError("MESSAGE_NOT_FOUND", "This message no longer exists: reload the conversation.", {
      message: messageId,
    });
  }

  return {
    watch: (signal) => events.watch(signal),
    list: (search) => store.conversations.list(search),
    get: (conversationId) => store.conversations.get(conversationId),

    async create(settings) {
      return announced(await store.conversations.create({ ...defaultConversationSettings, ...settings }));
    },

    async rename(conversationId, title) {
      return announced(await store.conversations.rename(conversationId, title));
    },

    async remove(conversationId) {
      const reply = running.inConversation(conversationId);
      reply?.stop("stopped");
      await reply?.done;
      await store.conversations.remove(conversationId);
      for (const cacheOwner of [conversationId, `${conversationId}:summary`])
        await models.forgetConversation(cacheOwner);
      events.publish({ type: "removed", conversationId });
    },

    async configure(conversationId, settings) {
      return announced(await store.conversations.configure(conversationId, settings));
    },

    async selectVersion(messageId) {
      return announced(await store.conversations.selectVersion(messageId));
    },

    async send(conversationId, text, editedMessageId) {
      const { question, reply } = await running.start(conversationId, async () => {
        const conversation = await store.conversations.get(conversationId);
        const parentId = await parentOfQuestion(conversation, editedMessageId);
        const history = parentId === null ? [] : await store.messages.path(parentId);
        const stored = await store.messages.add({
          conversationId,
          parentId,
          role: "user",
          text,
          state: "complete",
          model: null,
        });
        const { settings, title } = conversation;
        const prepared = await addReply(stored, history, settings, settings.sampling.seed);
        announce(
          title === ""
            ? await store.conversations.rename(conversationId, titleOf(text))
            : await store.conversations.get(conversationId),
        );
        return { question: stored, ...prepared };
      });
      return { question, reply };
    },

    async regenerate(messageId) {
      const earlier = await existing(messageId);
      if (earlier.role !== "assistant" || earlier.parentId === null) {
        throw new CorralError("INVALID_INPUT", "Only a reply can be written again: to change a question, edit it.", {
          field: "messageId",
          reason: "not a reply",
        });
      }
      const question = await existing(earlier.parentId);
      const { reply } = await running.start(question.conversationId, async () => {
        const { settings } = await store.conversations.get(question.conversationId);
        const history = question.parentId === null ? [] : await store.messages.path(question.parentId);
        return addReply(question, history, settings, seedOfVersion(settings, earlier.versions.length));
      });
      return { reply };
    },

    async *follow(messageId, signal): AsyncGenerator<GenerationPart, void> {
      const live = running.find(messageId);
      if (live !== null) {
        yield* live.follow(signal);
        return;
      }
      const message = await existing(messageId);
      yield { type: "snapshot", message };
      yield { type: "finish", message };
    },

    async stop(messageId) {
      const live = running.find(messageId);
      if (live === null) return void (await existing(messageId));
      live.stop("stopped");
      await live.done;
    },

    async decide(messageId, callId, decision) {
      if (running.find(messageId)?.approvals.decide(callId, decision) === true) return;
      throw new CorralError(
        "TOOL_CALL_NOT_FOUND",
        "This call no longer waits for an answer: reload the conversation.",
        {
          call: callId,
        },
      );
    },

    tools: async () => describeTools(parts.mcp),

    async measure(conversationId, draft) {
      const { settings, messages } = await store.conversations.get(conversationId);
      const tools = toolsOf(settings, parts.mcp).map(({ definition }) => definition);
      return meter.measure(settings, messages, draft, tools);
    },

    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };

  /** What a new question follows: the end of the active branch, or what the edited question followed. */
  async function parentOfQuestion(conversation: Conversation, editedMessageId?: string): Promise<string | null> {
    if (editedMessageId === undefined) return conversation.messages.at(-1)?.id ?? null;
    const edited = await existing(editedMessageId);
    if (edited.role === "user" && edited.conversationId === conversation.id) return edited.parentId;
    throw new CorralError("INVALID_INPUT", "Only a question of this conversation can be edited.", {
      field: "editedMessageId",
      reason: "not a question of this conversation",
    });
  }
}

/** Another version of a reply must not come out the same: a fixed seed moves on with each version. */
function seedOfVersion({ sampling }: ConversationSettings, version: number): number | null {
  return sampling.seed === null ? null : (sampling.seed + version) % 2 ** 32;
}
