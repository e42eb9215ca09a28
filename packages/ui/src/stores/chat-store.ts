import { defaultConversationSettings } from "@corral/protocol";
import type {
  ContextMeasure,
  Conversation,
  ConversationSettings,
  ErrorReport,
  Message,
  OverflowChoice,
  Sources,
  ToolDecision,
} from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { errorCodeOf, reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";
import { ReplyFollower, type ReplyProgress } from "./reply-follower.ts";

export { maxToolSteps } from "@corral/protocol";

export interface ChatState {
  /** Null: a conversation that begins with the next question. */
  readonly conversationId: string | null;
  readonly title: string;
  readonly settings: ConversationSettings;
  /** The active branch, oldest first. */
  readonly messages: readonly Message[];
  /** What the replies being written are doing, by message id. */
  readonly progress: Readonly<Record<string, ReplyProgress>>;
  readonly opening: boolean;
  /** A question is on its way to the host. */
  readonly sending: boolean;
  /** What went wrong with the last action. */
  readonly error: ErrorReport | null;
  /** How full the context would be with the draft; null when unknown. */
  readonly measure: ContextMeasure | null;
  /** What is written in the composer; kept per conversation while the page lives. */
  readonly draft: string;
  setDraft(draft: string): void;
  open(conversationId: string): Promise<void>;
  /** @param sources what the new conversation may answer from */
  startNew(sources?: Sources): void;
  /** @param editedMessageId the question this one replaces @returns whether the host took it */
  send(text: string, editedMessageId?: string): Promise<boolean>;
  regenerate(messageId: string): Promise<void>;
  /** Stops the reply being written. */
  stop(): Promise<void>;
  /** Lets a call that waits for approval run, or not. */
  decide(messageId: string, callId: string, decision: ToolDecision): Promise<void>;
  /** Writes an answer that did not fit again, with another way to make room. */
  makeRoom(messageId: string, overflow: OverflowChoice): Promise<void>;
  selectVersion(messageId: string): Promise<void>;
  configure(change: Partial<ConversationSettings>): Promise<boolean>;
  attach(change: Partial<Sources>): Promise<boolean>;
  detach(change: Partial<Sources>): Promise<boolean>;
  measureDraft(draft: string): Promise<void>;
  dismissError(): void;
}

const noSources: Sources = { collectionIds: [], documentIds: [] };
/** What a conversation starts with. */
export const newConversationSettings: ConversationSettings = defaultConversationSettings;
const blank = {
  conversationId: null,
  title: "",
  settings: newConversationSettings,
  messages: [],
  opening: false,
  sending: false,
  error: null,
  measure: null,
  draft: "",
};

/** The open conversation. */
export function createChatStore(connection: Connection): StoreApi<ChatState> {
  const { conversations, chat } = connection.client;
  const drafts = new Map<string | null, string>();
  let measuring = new AbortController();

  const store = createStore<ChatState>()((set, get) => ({
    ...blank,
    progress: {},
    open: async (conversationId) => {
      if (get().conversationId !== conversationId) {
        set({ ...blank, conversationId, opening: true, draft: drafts.get(conversationId) ?? "" });
      }
      await load(conversationId);
    },
    startNew: (sources = noSources) =>
      set({ ...blank, settings: { ...newConversationSettings, sources }, draft: drafts.get(null) ?? "" }),
    setDraft: (draft) => {
      drafts.set(get().conversationId, draft);
      set({ draft });
    },
    send: async (text, editedMessageId) => {
      set({ sending: true });
      const sent = await report(async () => {
        const conversationId = get().conversationId ?? (await create());
        const { question, reply } = await chat.send(
          editedMessageId ? { conversationId, text, editedMessageId } : { conversationId, text },
        );
        if (get().conversationId === conversationId) {
          set(({ messages }) => ({ messages: [...upTo(messages, question.parentId), question, reply] }));
        }
        follower.follow(reply);
      });
      set({ sending: false });
      return sent;
    },
    regenerate: async (messageId) => {
      await report(async () => {
        const { reply } = await chat.regenerate({ messageId });
        if (get().conversationId === reply.conversationId) {
          set(({ messages }) => ({ messages: [...upTo(messages, reply.parentId), reply] }));
        }
        follower.follow(reply);
      });
    },
    stop: async () => {
      const running = get().messages.find(({ state }) => state === "streaming");
      if (running) await report(() => chat.stop({ messageId: running.id }));
    },
    decide: async (messageId, callId, decision) => {
      await report(() => chat.decide({ messageId, callId, decision }));
    },
    makeRoom: async (messageId, overflow) => {
      if (await get().configure({ overflow })) await get().regenerate(messageId);
    },
    selectVersion: async (messageId) => {
      await report(async () => take(await conversations.selectVersion({ messageId })));
    },
    configure: (change) =>
      report(async () => {
        const { conversationId } = get();
        if (conversationId) {
          const { settings } = await conversations.configure({ conversationId, settings: change });
          if (get().conversationId === conversationId) set({ settings });
        } else set(({ settings }) => ({ settings: { ...settings, ...change } }));
      }),
    attach: ({ collectionIds = [], documentIds = [] }) => {
      const { sources } = get().settings;
      return get().configure({
        sources: {
          collectionIds: [...new Set([...sources.collectionIds, ...collectionIds])],
          documentIds: [...new Set([...sources.documentIds, ...documentIds])],
        },
      });
    },
    detach: ({ collectionIds = [], documentIds = [] }) => {
      const { sources } = get().settings;
      return get().configure({
        sources: {
          collectionIds: sources.collectionIds.filter((id) => !collectionIds.includes(id)),
          documentIds: sources.documentIds.filter((id) => !documentIds.includes(id)),
        },
      });
    },
    measureDraft: async (draft) => {
      measuring.abort();
      const { signal } = (measuring = new AbortController());
      const { conversationId } = get();
      if (!conversationId) return;
      try {
        const measure = await chat.measure({ conversationId, draft }, { signal });
        if (!signal.aborted && get().conversationId === conversationId) set({ measure });
      } catch {
        // The meter is a hint: without a loaded model there is nothing to measure with, and no one is kept from asking.
        if (!signal.aborted) set({ measure: null });
      }
    },
    dismissError: () => set({ error: null }),
  }));

  const follower = new ReplyFollower(connection, {
    changed: ({ message, progress }) => {
      put(message);
      store.setState((state) => ({ progress: { ...state.progress, [message.id]: progress } }));
    },
    finished: (message) => {
      put(message);
      settle(message.id);
    },
    failed: (messageId, error) => {
      const { messages } = store.getState();
      const message = messages.find(({ id }) => id === messageId);
      if (message) put({ ...message, state: "interrupted", error });
      settle(messageId);
    },
  });

  async function report(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      store.setState({ error: null });
      return true;
    } catch (error) {
      store.setState({ error: reportOf(error) });
      return false;
    }
  }

  async function create(): Promise<string> {
    const { settings } = store.getState();
    const { id, title } = await conversations.create({ settings });
    store.setState({ conversationId: id, title });
    return id;
  }

  async function load(conversationId: string): Promise<void> {
    // Without a link it stays "opening"; `whileReady` below loads it as soon as there is one.
    if (connection.state().kind !== "ready") return;
    await report(async () => {
      try {
        const conversation = await conversations.get({ conversationId });
        if (store.getState().conversationId === conversationId) take(conversation);
      } catch (error) {
        if (store.getState().conversationId !== conversationId) return;
        // Removed elsewhere meanwhile: nothing is lost by starting afresh.
        if (errorCodeOf(error) !== "CONVERSATION_NOT_FOUND") throw error;
        store.getState().startNew();
      }
    });
    store.setState({ opening: false });
  }

  /** Shows a conversation as the host has it, with replies that are being written further along than it may know. */
  function take({ id, title, settings, messages }: Conversation): void {
    const newest = messages.map((message) =>
      message.state === "streaming" ? (follower.get(message.id)?.message ?? message) : message,
    );
    store.setState({ conversationId: id, title, settings, messages: newest, opening: false });
    for (const message of newest) if (message.state === "streaming") follower.follow(message);
  }

  function put(message: Message): void {
    const { messages } = store.getState();
    const at = messages.findLastIndex(({ id }) => id === message.id);
    if (at >= 0) store.setState({ messages: messages.with(at, message) });
  }

  function settle(messageId: string): void {
    store.setState(({ progress }) => ({
      progress: Object.fromEntries(Object.entries(progress).filter(([id]) => id !== messageId)),
    }));
  }

  // After a lost link the host may know more than this page: another tab, or a reply that went on without us.
  connection.whileReady(async () => {
    const { conversationId } = store.getState();
    if (conversationId) await load(conversationId);
  });

  // Another tab may ask, edit, choose a version or remove the conversation while it is open here.
  connection.whileReady(async (signal) => {
    await report(async () => {
      await readStream(
        (stop) => conversations.watch(undefined, { signal: stop }),
        signal,
        (event) => {
          const { conversationId, sending } = store.getState();
          if (event.type === "removed") {
            if (event.conversationId === conversationId) store.getState().startNew();
          } else if (event.conversation.id === conversationId && !sending) void load(conversationId);
        },
      );
    });
  });
  return store;
}

/** The branch up to and including a message; nothing for a new root. */
function upTo(messages: readonly Message[], parentId: string | null): readonly Message[] {
  return messages.slice(0, messages.findIndex(({ id }) => id === parentId) + 1);
}
