/** An MCP server made with the official SDK, for tests: over stdio, or over HTTP when MCP_TEST_PORT is set. */
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { spawn } from "node:child_process";
import { NodeStreamableHTTPServerTransport } from "@modelcontextprotocol/node";
import { McpServer } from "@modelcontextprotocol/server";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });

function makeServer(): McpServer {
  const server = new McpServer({ name: "test", version: "1.0.0" });
  const input = z.object({ text: z.string() });
  server.registerTool(
    "echo",
    {
      description: "Says the text back.\u202E",
      inputSchema: input,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async (args) => text(args.text),
  );
  server.registerTool("write.note", { description: "Writes a note down.", inputSchema: input }, async (args) => {
    appendFileSync(process.env["MCP_TEST_NOTES"] ?? "/dev/null", `${args.text}\n`);
    return text("written");
  });
  server.registerTool("fail", { inputSchema: z.object({}) }, async () => ({ ...text("It is closed."), isError: true }));
  server.registerTool("crash", { inputSchema: z.object({}) }, async () => {
    process.stderr.write("out of cheese\n");
    process.exit(3);
  });
  server.registerTool("hang", { inputSchema: z.object({}) }, () => new Promise<never>(() => {}));
  server.registerTool("flood", { inputSchema: z.object({}) }, async () => text("x".repeat(20 << 20)));
  server.registerTool("environment", { inputSchema: z.object({}) }, async () =>
    text(JSON.stringify({ ...process.env, pid: process.pid })),
  );
  server.registerTool("spawn", { inputSchema: z.object({}) }, async () => {
    const child = spawn("sleep", ["600"], { stdio: "ignore" });
    return text(String(child.pid));
  });
  server.registerTool("grow", { inputSchema: z.object({}) }, async () => {
    server.registerTool("grown", { inputSchema: z.object({}) }, async () => text("here"));
    return text("ok");
  });
  return server;
}

const port = process.env["MCP_TEST_PORT"];
if (port === undefined) {
  await makeServer().connect(new StdioServerTransport());
} else {
  const http = createServer((request, response) => {
    if (request.url === "/away") {
      response.writeHead(307, { location: process.env["MCP_TEST_AWAY"] ?? "" }).end();
      return;
    }
    if (process.env["MCP_TEST_TOKEN"] && request.headers.authorization !== process.env["MCP_TEST_TOKEN"]) {
      response.writeHead(401).end();
      return;
    }
    void (async () => {
      const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
      await makeServer().connect(transport);
      await transport.handleRequest(request, response);
    })();
  });
  http.listen(Number(port), "127.0.0.1", () => {
    const address = http.address();
    process.stdout.write(`${typeof address === "object" ? (address?.port ?? 0) : 0}\n`);
  });
}
