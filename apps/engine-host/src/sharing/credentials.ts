import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestClient } from "../models/models.ts";

/** Who a secret belongs to. */
export interface Credentials {
  /** Null: to nobody. */
  clientOf(secret: string): Promise<RequestClient | null>;
  /** Whether this client may see what others do, as /metrics tells. */
  isOwner(client: RequestClient): boolean;
}

/** The user of this machine, as the scheduler knows them. */
const owner: RequestClient = { user: "owner", priority: "interactive" };

/** The owner's access key, the one credential there is on loopback. Compares in constant time. */
export function ownerCredentials(key: string): Credentials {
  const expected = hash(key);
  return {
    clientOf: async (secret) => (timingSafeEqual(hash(secret), expected) ? owner : null),
    isOwner: (client) => client.user === owner.user,
  };
}

/** The secret a request carries: `Authorization: Bearer SECRET` (OpenAI) or `x-api-key: SECRET` (Anthropic). */
export function secretOf(headers: Headers): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  return bearer ?? headers.get("x-api-key");
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
