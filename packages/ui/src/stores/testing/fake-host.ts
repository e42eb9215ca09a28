import { contract, defaultConversationSettings, PROTOCOL_VERSION } from "@corral/protocol";
import type {
  Collection,
  Conversation,
  ConversationEvent,
  DocumentSummary,
  ErrorCode,
  GenerationPart,
  LibraryEvent,
  Message,
  ToolServer,
  ToolServerSettings,
} from "@corral/protocol";
import { implement, ORPCError } from "@orpc/server";
import { RPCHandler } from "@orpc/server/message-port";
import type { Connection, FileTransfer } from "../../connection/connection.ts";
import { openPort } from "../../connection/port-connection.ts";
import {
  LinkRefusedError,
  SupervisedConnection,
  type LinkEnd,
  type OpenLink,
} from "../../connection/supervised-connection.ts";

/**
 * A host that speaks the real contract through the real oRPC over a real MessageChannel; only what it answers is made up.
 * Tests write replies part by part with `say`, cut links with `cut`, and look at `calls`.
 */
export class FakeHost {
  readonly calls: string[] = [];
  readonly conversations = new Map<string, Conversation>();
  readonly collections: Collection[] = [];
  readonly documents: DocumentSummary[] = [];
  readonly servers: ToolServer[] = [];
  readonly replies = new Map<string, Reply>();
  protocolVersion = PROTOCOL_VERSION;
  /** Set: links are not opened, for this reason. */
  refuses: LinkEnd | null = null;
  /** The next call of this procedure fails with this error. */
  readonly failures = new Map<string, { code: ErrorCode; message: string; data: unknown }>();
  /** Called when a page asks for a picture; tests hold it back to change their mind meanwhile. */
  onPageImage: () => Promise<void> = () => Promise.resolve();
  #libraryEvents = new Feed<LibraryEvent>();
  #conversationEvents = new Feed<ConversationEvent>();
  #serverEvents = new Feed<ToolServer[]>();
  #links = new Set<OpenLink>();
  #keys: string[] = [];
  #count = 0;

  /** A connection of a page to this host. */
  connect(
    files: FileTransfer = {
      kind: "paths",
      pathOf: ({ name }) => `/files/${name}`,
      pick: () => Promise.resolve([]),
      pickFolder: () => Promise.resolve(null),
    },
  ): Connection {
    return new SupervisedConnection({
      client: "browser",
      files,
      open: () =>
        this.refuses ? Promise.reject(new LinkRefusedError(this.refuses)) : Promise.resolve(this.#openLink()),
      enterKey: (key) => {
        this.#keys.push(key);
        if (key === "right") this.refuses = null;
      },
      watchForReturn: () => () => {},
    });
  }

  #openLink(): OpenLink {
    const { port1, port2 } = new MessageChannel();
    new RPCHandler(this.#router() as never).upgrade(port2);
    port2.start();
    const link = openPort(port1);
    this.#links.add(link);
    return link;
  }

  /** Cuts all links, as when the network goes away or the host restarts. */
  cut(): void {
    for (const link of this.#links) link.close();
    this.#links.clear();
  }

  libraryChanged(event: LibraryEvent): void {
    this.#libraryEvents.push(event);
  }

  conversationChanged(event: ConversationEvent): void {
    this.#conversationEvents.push(event);
  }

  /** How many streams of conversation events are read. */
  get conversationWatchers(): number {
    return this.#conversationEvents.readers;
  }

  conversation(id: string): Conversation {
    const found = this.conversations.get(id);
    if (!found)
      throw failure({
        code: "CONVERSATION_NOT_FOUND",
        message: "This conversation is gone.",
        data: { conversation: id },
      });
    return found;
  }

  addConversation(settings: Partial<Conversation["settings"]> = {}): Conversation {
    const now = new Date(Date.UTC(2026, 0, 1, 0, 0, this.#count)).toISOString();
    const created: Conversation = {
      id: this.#id("conversation"),
      title: "",
      createdAt: now,
      updatedAt: now,
      snippet: null,
      settings: { ...defaultConversationSettings, ...settings },
      messages: [],
    };
    this.conversations.set(created.id, created);
    return created;
  }

  #addMessage(conversation: Conversation, parentId: string | null, role: Message["role"], text: string): Message {
    const id = this.#id(role);
    const added: Message = {
      id,
      conversationId: conversation.id,
      parentId,
      role,
      text,
      state: role === "user" ? "complete" : "streaming",
      createdAt: conversation.createdAt,
      model: null,
      steps: [],
      summary: null,
      citations: [],
      retrieval: null,
      timings: null,
      usage: null,
      finishReason: null,
      error: null,
      versions: [id],
    };
    const at = conversation.messages.findIndex((message) => message.id === parentId);
    conversation.messages = [...conversation.messages.slice(0, at + 1), added];
    if (role === "assistant") this.replies.set(id, new Reply(added, conversation));
    return added;
  }

  #addServer(settings: ToolServerSettings): ToolServer {
    const server: ToolServer = { settings, state: "starting", error: null, tools: [], refused: [] };
    this.servers.push(server);
    this.#serverEvents.push([...this.servers]);
    return server;
  }

  #id(kind: string): string {
    return `${kind}-${++this.#count}`;
  }

  #router() {
    const os = implement(contract).use(({ next, path }) => {
      const name = path.join(".");
      this.calls.push(name);
      const planned = this.failures.get(name);
      this.failures.delete(name);
      if (planned) throw failure(planned);
      return next();
    });
    const { collections, documents } = this;
    return {
      system: {
        handshake: os.system.handshake.handler(({ input }) => {
          if (input.protocolVersion !== this.protocolVersion) {
            const data = { host: this.protocolVersion, client: input.protocolVersion };
            throw failure({ code: "VERSION_MISMATCH", message: "Reload.", data });
          }
          return {
            protocolVersion: this.protocolVersion,
            appVersion: "0.0.0",
            shell: "headless" as const,
            dataDirectory: "/data",
            supportedFileTypes: [".pdf"],
            uploadLimitBytes: 1e9,
          };
        }),
      },
      conversations: {
        list: os.conversations.list.handler(({ input }) =>
          [...this.conversations.values()].filter(({ title }) => title.includes(input.search)),
        ),
        watch: os.conversations.watch.handler(({ signal }) => {
          const feed = this.#conversationEvents;
          return (async function* (): AsyncGenerator<ConversationEvent, void, void> {
            yield* feed.read(signal);
          })();
        }),
        create: os.conversations.create.handler(({ input }) => this.addConversation(withoutUndefined(input.settings))),
        get: os.conversations.get.handler(({ input }) => this.conversation(input.conversationId)),
        configure: os.conversations.configure.handler(({ input }) => {
          const conversation = this.conversation(input.conversationId);
          Object.assign(conversation.settings, withoutUndefined(input.settings));
          return conversation;
        }),
      },
      chat: {
        send: os.chat.send.handler(({ input }) => {
          const conversation = this.conversation(input.conversationId);
          const edited = conversation.messages.find(({ id }) => id === input.editedMessageId);
          const parentId = edited ? edited.parentId : (conversation.messages.at(-1)?.id ?? null);
          const question = this.#addMessage(conversation, parentId, "user", input.text);
          return { question, reply: this.#addMessage(conversation, question.id, "assistant", "") };
        }),
        regenerate: os.chat.regenerate.handler(({ input }) => {
          const old = this.replies.get(input.messageId);
          if (!old) throw failure({ code: "MESSAGE_NOT_FOUND", message: "Gone.", data: { message: input.messageId } });
          const reply = this.#addMessage(old.conversation, old.message.parentId, "assistant", "");
          reply.versions = [old.message.id, reply.id];
          return { reply };
        }),
        decide: os.chat.decide.handler(() => undefined),
        stop: os.chat.stop.handler(({ input }) => this.replies.get(input.messageId)?.finish({ state: "cancelled" })),
        follow: os.chat.follow.handler(({ input, signal }) => {
          const reply = this.replies.get(input.messageId);
          if (!reply)
            throw failure({ code: "MESSAGE_NOT_FOUND", message: "Gone.", data: { message: input.messageId } });
          return reply.follow(signal);
        }),
      },
      tools: {
        list: os.tools.list.handler(() => []),
        watchServers: os.tools.watchServers.handler(({ signal }) => {
          const feed = this.#serverEvents;
          const { servers } = this;
          return (async function* (): AsyncGenerator<ToolServer[], void, void> {
            yield [...servers];
            yield* feed.read(signal);
          })();
        }),
        addServer: os.tools.addServer.handler(({ input }) => this.#addServer(input)),
        changeServer: os.tools.changeServer.handler(({ input }) => this.#addServer(input.settings)),
        removeServer: os.tools.removeServer.handler(() => undefined),
        restartServer: os.tools.restartServer.handler(({ input }) =>
          this.servers.find(({ settings }) => settings.name === input.server)!,
        ),
      },
      library: {
        watch: os.library.watch.handler(({ signal }) => {
          const feed = this.#libraryEvents;
          return (async function* (): AsyncGenerator<LibraryEvent, void, void> {
            yield { type: "snapshot", collections: [...collections], documents: [...documents], folders: [] };
            yield* feed.read(signal);
          })();
        }),
        addPaths: os.library.addPaths.handler(({ input }) =>
          input.paths.map((file) => ({ file, outcome: "unchanged" as const, document: null, error: null })),
        ),
        page: os.library.page.handler(({ input }) => ({
          documentId: input.documentId,
          page: input.page,
          text: `Page ${input.page}`,
          label: null,
          lines: [],
          tableRows: [],
          width: 612,
          height: 792,
          boxes: [],
        })),
        pageImage: os.library.pageImage.handler(async () => {
          await this.onPageImage();
          return new Blob(["picture"], { type: "image/png" });
        }),
      },
    };
  }
}

/** A reply that a test writes. */
export class Reply {
  readonly conversation: Conversation;
  message: Message;
  #parts = new Feed<GenerationPart>();

  constructor(message: Message, conversation: Conversation) {
    this.message = message;
    this.conversation = conversation;
  }

  say(text: string): void {
    this.#store({ text: this.message.text + text });
    this.#parts.push({ type: "text-delta", text });
  }

  part(part: GenerationPart): void {
    this.#parts.push(part);
  }

  finish(change: Partial<Message> = {}): void {
    this.#store({ state: "complete", finishReason: "stop", ...change });
    this.#parts.push({ type: "finish", message: this.message });
  }

  /** Ends the stream of those who follow now without a `finish`. */
  breakOff(): void {
    this.#parts.end();
  }

  get followers(): number {
    return this.#parts.readers;
  }

  async *follow(signal: AbortSignal | undefined): AsyncGenerator<GenerationPart, void, void> {
    const parts = this.#parts.read(signal);
    yield { type: "snapshot", message: this.message };
    if (this.message.state !== "streaming") {
      yield { type: "finish", message: this.message };
      return;
    }
    for await (const part of parts) {
      yield part;
      if (part.type === "finish") return;
    }
  }

  #store(change: Partial<Message>): void {
    this.message = { ...this.message, ...change };
    const { messages } = this.conversation;
    this.conversation.messages = messages.map((message) => (message.id === this.message.id ? this.message : message));
  }
}

/** Hands each item to everyone who reads at that moment. */
class Feed<Item> {
  #readers = new Set<ReadableStreamDefaultController<Item>>();

  get readers(): number {
    return this.#readers.size;
  }

  push(item: Item): void {
    for (const reader of this.#readers) reader.enqueue(item);
  }

  end(): void {
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
  }

  /** Items pushed from this call on, whenever they are read. */
  read(signal: AbortSignal | undefined): AsyncIterable<Item> {
    let mine: ReadableStreamDefaultController<Item> | undefined;
    const leave = () => {
      if (mine && this.#readers.delete(mine)) mine.close();
    };
    const stream = new ReadableStream<Item>({
      start: (controller) => {
        mine = controller;
        this.#readers.add(controller);
      },
      cancel: () => void (mine && this.#readers.delete(mine)),
    });
    signal?.addEventListener("abort", leave);
    return stream;
  }
}

function failure({ code, message, data }: { code: ErrorCode; message: string; data: unknown }) {
  return new ORPCError(code, { message, data, defined: true });
}

function withoutUndefined<Value extends object>(
  value: Value,
): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}
