/** What an example shows: addresses, the key, and the name of the model that answers. */
export interface SnippetFacts {
  /** "http://127.0.0.1:7410" */
  readonly address: string;
  readonly key: string;
  /** "MODEL" or "MODEL+COLLECTION". */
  readonly model: string;
  readonly question: string;
}

/** Programs that can be pasted into a terminal or a file and run as they are. */
export const snippets: Readonly<Record<"curl" | "openai" | "anthropic", (facts: SnippetFacts) => string>> = {
  curl: ({ address, key, model, question }) =>
    [
      `curl ${address}/v1/chat/completions \\`,
      `  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`,
      `  -d ${shellQuoted(JSON.stringify({ model, messages: [{ role: "user", content: question }] }))}`,
    ].join("\n"),
  openai: ({ address, key, model, question }) =>
    [
      "from openai import OpenAI",
      "",
      `client = OpenAI(base_url=${python(`${address}/v1`)}, api_key=${python(key)})`,
      "reply = client.chat.completions.create(",
      `    model=${python(model)},`,
      `    messages=[{"role": "user", "content": ${python(question)}}],`,
      ")",
      "print(reply.choices[0].message.content)",
    ].join("\n"),
  anthropic: ({ address, key, model, question }) =>
    [
      "from anthropic import Anthropic",
      "",
      `client = Anthropic(base_url=${python(address)}, api_key=${python(key)})`,
      "reply = client.messages.create(",
      `    model=${python(model)},`,
      "    max_tokens=1024,",
      `    messages=[{"role": "user", "content": ${python(question)}}],`,
      ")",
      "print(reply.content[0].text)",
    ].join("\n"),
};

/** One word for a POSIX shell, whatever a collection is called. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A string literal of Python: those of JSON are among them. */
function python(text: string): string {
  return JSON.stringify(text);
}
