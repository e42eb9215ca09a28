import type { ToolServerSettings } from "@corral/protocol";

/** What the fields hold before they are settings. */
export interface ServerDraft {
  name: string;
  kind: "stdio" | "http";
  command: string;
  args: string;
  env: string;
  url: string;
  headers: string;
  confirmedOutside: boolean;
  /** Seconds. */
  timeout: string;
}

/** Stands for a value that is kept and not shown. */
export const kept = "•••";

const newServer: ServerDraft = {
  name: "",
  kind: "stdio",
  command: "",
  args: "",
  env: "",
  url: "",
  headers: "",
  confirmedOutside: false,
  timeout: "60",
};

export function draftOf(settings: ToolServerSettings | null): ServerDraft {
  if (settings === null) return newServer;
  const { name, transport, timeoutMs } = settings;
  const draft = { ...newServer, name, kind: transport.kind, timeout: String(timeoutMs / 1000) };
  if (transport.kind === "stdio") {
    const { command, args, env } = transport;
    return { ...draft, command, args: args.join("\n"), env: linesOf(env, "=") };
  }
  const { url, headers, confirmedOutside } = transport;
  return { ...draft, url, headers: linesOf(headers, ": "), confirmedOutside };
}

/** Which fields are wrong. */
export type ServerErrors = Partial<Record<"name" | "secrets" | "url" | "timeout", true>>;

/** The settings these fields make, or what is wrong with them. Empty fields that must be filled give null without an error. */
export function settingsFrom(
  draft: ServerDraft,
  enabled: boolean,
): { settings: ToolServerSettings | null; errors: ServerErrors } {
  const errors: ServerErrors = {};
  const name = draft.name.trim();
  if (name !== "" && !/^[a-z0-9][a-z0-9-]{0,31}$/u.test(name)) errors.name = true;
  const seconds = Number(draft.timeout);
  if (!(seconds >= 1 && seconds <= 3600)) errors.timeout = true;
  const isProgram = draft.kind === "stdio";
  const secrets = isProgram ? secretsFrom(draft.env, "=") : secretsFrom(draft.headers, ":");
  if (secrets === null) errors.secrets = true;
  const url = draft.url.trim();
  if (!isProgram && url !== "" && hostOf(url) === null) errors.url = true;
  const place = isProgram ? draft.command.trim() : url;
  if (Object.keys(errors).length > 0 || name === "" || place === "" || secrets === null)
    return { settings: null, errors };
  const timeoutMs = Math.round(seconds * 1000);
  const args = draft.args.split("\n").filter((line) => line !== "");
  return {
    errors,
    settings: {
      name,
      enabled,
      timeoutMs,
      transport: isProgram
        ? { kind: "stdio", command: place, args, env: secrets }
        : { kind: "http", url, headers: secrets, confirmedOutside: draft.confirmedOutside },
    },
  };
}

/** Host and port of an address, or null for what is none. */
export function hostOf(url: string): string | null {
  const parsed = URL.parse(url.trim());
  return parsed && /^https?:$/u.test(parsed.protocol) ? parsed.host : null;
}

function linesOf(secrets: Record<string, string | null>, separator: string): string {
  return Object.entries(secrets)
    .map(([name, value]) => `${name}${separator}${value ?? kept}`)
    .join("\n");
}

function secretsFrom(text: string, separator: string): Record<string, string | null> | null {
  const secrets: Record<string, string | null> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const at = line.indexOf(separator);
    const name = line.slice(0, at).trim();
    const value = line.slice(at + 1).trim();
    if (at < 1 || name === "" || value === "") return null;
    secrets[name] = value === kept ? null : value;
  }
  return secrets;
}
