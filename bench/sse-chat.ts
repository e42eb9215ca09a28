/** One streamed reply as any OpenAI client gets it, timed at the client. */
export interface SseReply {
  /** From sending the request to the first text, ms. */
  firstTokenMs: number;
  /** From the first text to the last, ms. */
  decodeMs: number;
  /** From sending the request to the end of the stream, ms. */
  totalMs: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

export interface ChatMessage {
  role: "user" | "assistant";
  content: string;
}

export interface ChatServer {
  /** Ends with /v1. */
  baseUrl: string;
  key: string;
  model: string;
}

interface Chunk {
  choices?: { delta?: { content?: string | null } }[];
  usage?: {
    prompt_tokens: number;
    completion_tokens: number;
    prompt_tokens_details?: { cached_tokens?: number };
  } | null;
  error?: unknown;
}

/** Asks and times the reply. Without a signal it may take ten minutes. */
export async function chatOverSse(
  { baseUrl, key, model }: ChatServer,
  messages: ChatMessage[],
  { maxTokens, signal }: { maxTokens: number; signal?: AbortSignal },
): Promise<SseReply & { text: string }> {
  const start = performance.now();
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({
      ...{ model, messages, max_tokens: maxTokens, stream: true, stream_options: { include_usage: true } },
      ...{ temperature: 0, top_p: 1, top_k: 0, min_p: 0, seed: 1 },
    }),
    signal: signal ?? AbortSignal.timeout(600_000),
  });
  if (!response.ok || !response.body)
    throw new Error(`${baseUrl} answered ${response.status}: ${await response.text()}`);
  let first = 0;
  let last = 0;
  let text = "";
  let usage: Chunk["usage"];
  let rest = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data: ") || line.startsWith("data: [DONE]")) continue;
      const chunk = JSON.parse(line.slice("data: ".length)) as Chunk;
      if (chunk.error) throw new Error(`The stream broke: ${JSON.stringify(chunk.error)}`);
      usage = chunk.usage ?? usage;
      const content = chunk.choices?.[0]?.delta?.content ?? "";
      if (content === "") continue;
      last = performance.now();
      if (first === 0) first = last;
      text += content;
    }
  }
  if (!usage || first === 0) throw new Error("The stream ended without text or usage.");
  return {
    text,
    firstTokenMs: first - start,
    decodeMs: last - first,
    totalMs: performance.now() - start,
    promptTokens: usage.prompt_tokens,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    completionTokens: usage.completion_tokens,
  };
}

/** Tokens per second while a reply is written. */
export function decodeRate({ completionTokens, decodeMs }: SseReply): number {
  return ((completionTokens - 1) * 1000) / decodeMs;
}

/** Several replies at once: tokens per second of all together, prompts included. */
export async function streamsOverSse(server: ChatServer, questions: string[], maxTokens: number): Promise<number> {
  const start = performance.now();
  const replies = await Promise.all(
    questions.map((content) => chatOverSse(server, [{ role: "user", content }], { maxTokens })),
  );
  const tokens = replies.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
  return (tokens * 1000) / (performance.now() - start);
}
