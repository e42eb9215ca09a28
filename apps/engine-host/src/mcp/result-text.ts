import type { CallToolResult } from "@modelcontextprotocol/client";

/** What a tool answered, as text; what is not text is named. */
export function resultText({ content, structuredContent }: CallToolResult): string {
  const text = content.map(textOf).join("\n\n");
  return text === "" && structuredContent !== undefined ? JSON.stringify(structuredContent) : text;
}

function textOf(part: CallToolResult["content"][number]): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "resource":
      return "text" in part.resource ? part.resource.text : `[a file that is not text: ${part.resource.uri}]`;
    case "resource_link":
      return `[${part.name}: ${part.uri}]`;
    default:
      return `[${part.type} of the kind ${part.mimeType}: models here read text only]`;
  }
}
