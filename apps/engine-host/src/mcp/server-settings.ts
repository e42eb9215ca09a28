import { CorralError, toolServerSettings, type ToolServerSettings } from "@corral/protocol";
import { z } from "zod";
import type { SettingsTable } from "../store/store.ts";
import { isNear } from "./address.ts";

const settingsKey = "mcp.servers";

/** Reads the servers' settings, secrets included. */
export async function readServers(table: Pick<SettingsTable, "get">): Promise<ToolServerSettings[]> {
  const stored = await table.get(settingsKey);
  return stored === null ? [] : z.array(toolServerSettings).parse(JSON.parse(stored));
}

/** Keeps the servers' settings, in the database, which only its owner can read. */
export async function writeServers(table: Pick<SettingsTable, "set">, servers: ToolServerSettings[]): Promise<void> {
  await table.set(settingsKey, JSON.stringify(servers));
}

/** The settings as they may be told: names of secrets, no values. */
export function withoutSecrets(settings: ToolServerSettings): ToolServerSettings {
  const hide = (secrets: Record<string, string | null>) =>
    Object.fromEntries(Object.keys(secrets).map((name) => [name, null]));
  const { transport } = settings;
  return transport.kind === "stdio"
    ? { ...settings, transport: { ...transport, env: hide(transport.env) } }
    : { ...settings, transport: { ...transport, headers: hide(transport.headers) } };
}

/**
 * New settings with the secrets they leave as they were.
 * @throws CorralError INVALID_INPUT for a secret that never had a value, OUTSIDE_ADDRESS
 */
export function completed(settings: ToolServerSettings, before: ToolServerSettings | null): ToolServerSettings {
  const { transport } = settings;
  const known = before?.transport.kind === transport.kind ? secretsOf(before) : {};
  if (transport.kind === "stdio") return { ...settings, transport: { ...transport, env: kept(transport.env, known) } };
  const url = new URL(transport.url);
  if (!isNear(url) && !transport.confirmedOutside) {
    throw new CorralError(
      "OUTSIDE_ADDRESS",
      `${url.host} is not on this machine or a private network: what a model sends to this server would leave your network. Confirm that first.`,
      { address: url.host },
    );
  }
  // A secret belongs to the place it was given for.
  const sameHost = before?.transport.kind === "http" && new URL(before.transport.url).host === url.host;
  return { ...settings, transport: { ...transport, headers: kept(transport.headers, sameHost ? known : {}) } };
}

/** The values of the environment or the headers. */
export function secretsOf({ transport }: ToolServerSettings): Record<string, string> {
  const secrets = transport.kind === "stdio" ? transport.env : transport.headers;
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value ?? ""]));
}

function kept(secrets: Record<string, string | null>, known: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => {
      const complete = value ?? known[name];
      if (complete !== undefined) return [name, complete];
      throw new CorralError("INVALID_INPUT", `${name} has no value yet: enter one.`, {
        field: name,
        reason: "no value is known",
      });
    }),
  );
}
