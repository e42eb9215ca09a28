import { BlockList, isIP } from "node:net";

/** Addresses that do not leave this machine or its private network. Link-local IPv4 is not among them: clouds answer there. */
const near = new BlockList();
near.addSubnet("127.0.0.0", 8, "ipv4");
near.addSubnet("10.0.0.0", 8, "ipv4");
near.addSubnet("172.16.0.0", 12, "ipv4");
near.addSubnet("192.168.0.0", 16, "ipv4");
near.addAddress("::1", "ipv6");
near.addSubnet("fc00::", 7, "ipv6");
near.addSubnet("fe80::", 10, "ipv6");

/**
 * Whether a URL surely leads to this machine or its private network. A name other than localhost does not: finding out where
 * it leads would already send a packet.
 */
export function isNear(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/gu, "");
  const kind = isIP(host);
  if (kind === 0) return host === "localhost" || host.endsWith(".localhost");
  return near.check(host, kind === 4 ? "ipv4" : "ipv6");
}
