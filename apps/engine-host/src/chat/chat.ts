import type {
  ContextMeasure,
  Conversation,
  ConversationEvent,
  ConversationSettings,
  ConversationSummary,
  GenerationPart,
  Message,
  ToolDecision,
  ToolDescription,
} from "@corral/protocol";

/** Conversations, and replies as they are written. */
export interface Chat extends AsyncDisposable {
  watch(signal: AbortSignal): AsyncIterable<ConversationEvent>;
  list(search: string): Promise<ConversationSummary[]>;
  create(settings: Partial<ConversationSettings>): Promise<Conversation>;
  get(conversationId: string): Promise<Conversation>;
  rename(conversationId: string, title: string): Promise<ConversationSummary>;
  remove(conversationId: string): Promise<void>;
  configure(conversationId: string, settings: Partial<ConversationSettings>): Promise<Conversation>;
  selectVersion(messageId: string): Promise<Conversation>;
  /** @throws CorralError CONVERSATION_NOT_FOUND, CONVERSATION_BUSY, MESSAGE_NOT_FOUND */
  send(conversationId: string, text: string, editedMessageId?: string): Promise<{ question: Message; reply: Message }>;
  regenerate(messageId: string): Promise<{ reply: Message }>;
  /**
   * What there is of a reply, then the rest as it is written; ends after `finish`. A reply nobody follows for 10 s is
   * stopped (a closed tab must stop the GPU; a reloaded one picks its answer up again).
   */
  follow(messageId: string, signal: AbortSignal): AsyncIterable<GenerationPart>;
  stop(messageId: string): Promise<void>;
  /** Lets a call that waits for the user run, or not. @throws CorralError TOOL_CALL_NOT_FOUND */
  decide(messageId: string, callId: string, decision: ToolDecision): Promise<void>;
  /** What can be switched on for a conversation. */
  tools(): Promise<ToolDescription[]>;
  measure(conversationId: string, draft: string): Promise<ContextMeasure>;
}
