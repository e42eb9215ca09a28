import type { ConversationSummary, ErrorReport } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";

export interface ConversationsState {
  /** Newest first. While `search` is not empty: those that match, with a snippet each. */
  readonly conversations: readonly ConversationSummary[];
  /** The newest title of every conversation heard of, by id, whatever the search leaves in the list. */
  readonly titles: Readonly<Record<string, string>>;
  readonly loaded: boolean;
  readonly search: string;
  readonly error: ErrorReport | null;
  setSearch(search: string): void;
  rename(conversationId: string, title: string): Promise<void>;
  remove(conversationId: string): Promise<void>;
  dismissError(): void;
}

/** Waits for a pause in typing before it asks the host. */
const SEARCH_DELAY_MS = 200;

/** The list of conversations, kept up to date by the host. */
export function createConversationsStore(connection: Connection): StoreApi<ConversationsState> {
  let listing = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const store = createStore<ConversationsState>()((set) => ({
    conversations: [],
    titles: {},
    loaded: false,
    search: "",
    error: null,
    setSearch: (search) => {
      set({ search });
      clearTimeout(timer);
      timer = setTimeout(() => void list(), search ? SEARCH_DELAY_MS : 0);
    },
    rename: (conversationId, title) =>
      report(async () => {
        put(await connection.client.conversations.rename({ conversationId, title }));
      }),
    remove: (conversationId) =>
      report(async () => {
        await connection.client.conversations.remove({ conversationId });
        drop(conversationId);
      }),
    dismissError: () => set({ error: null }),
  }));

  async function report(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      store.setState({ error: null });
    } catch (error) {
      store.setState({ error: reportOf(error) });
    }
  }

  /** Asks for the list; an older answer never replaces a newer one. */
  async function list(): Promise<void> {
    listing.abort();
    const mine = (listing = new AbortController());
    await report(async () => {
      const { search } = store.getState();
      try {
        const conversations = await connection.client.conversations.list({ search }, { signal: mine.signal });
        if (!mine.signal.aborted) store.setState({ conversations, titles: titlesWith(conversations), loaded: true });
      } catch (error) {
        if (!mine.signal.aborted) throw error;
      }
    });
  }

  function titlesWith(heard: readonly ConversationSummary[]): Record<string, string> {
    return { ...store.getState().titles, ...Object.fromEntries(heard.map(({ id, title }) => [id, title])) };
  }

  function put(changed: ConversationSummary): void {
    store.setState({ titles: titlesWith([changed]) });
    const { conversations, search } = store.getState();
    const known = conversations.find(({ id }) => id === changed.id);
    if (search && !known) return;
    const rest = conversations.filter(({ id }) => id !== changed.id);
    const merged = { ...changed, snippet: known?.snippet ?? null };
    const conversationsNow = [...rest, merged].sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
    store.setState({ conversations: conversationsNow });
  }

  function drop(conversationId: string): void {
    store.setState(({ conversations }) => ({ conversations: conversations.filter(({ id }) => id !== conversationId) }));
  }

  connection.whileReady(async (signal) => {
    await list();
    await report(async () => {
      await readStream(
        (stop) => connection.client.conversations.watch(undefined, { signal: stop }),
        signal,
        (event) => {
          if (event.type === "changed") put(event.conversation);
          else drop(event.conversationId);
        },
      );
    });
  });
  return store;
}
