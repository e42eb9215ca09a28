import type { GpuLinkKind, GpuPeer } from "@corral/protocol";
import { countOf, numberOf } from "./tool-values.ts";

/** A connection between two GPUs, by the numbers nvidia-smi gives them. */
interface Link {
  to: number;
  link: GpuLinkKind;
  links: number;
}

/** What `nvidia-smi topo -m` tells of one GPU. */
export interface TopologyRow {
  index: number;
  links: Link[];
  numaNode: number | null;
}

const kinds: Record<string, GpuLinkKind> = { PIX: "pix", PXB: "pxb", PHB: "phb", NODE: "node", SYS: "sys" };

/**
 * The matrix of `nvidia-smi topo -m`. Its columns are separated by tabs, and drivers underline its head with escape codes
 * even into a pipe. The NUMA node is null where the tool names none, or several.
 */
export function parseTopology(output: string): TopologyRow[] {
  const lines = output.replace(/\u001b\[[0-9;]*m/g, "").split(/\r?\n/);
  const head = lines.findIndex((line) => /^\s*GPU\d+\s/.test(line) && /Affinity/.test(line));
  if (head < 0) return [];
  const cellsOf = (line: string) =>
    (line.includes("\t") ? line.split("\t") : line.split(/\s{2,}/)).map((cell) => cell.trim());
  const names = cellsOf(lines[head] ?? "");
  // Some listings lack the empty cell above the names of the rows.
  if (names[0] !== "") names.unshift("");
  const rows: TopologyRow[] = [];
  for (const line of lines.slice(head + 1)) {
    const cells = cellsOf(line);
    const index = gpuNumber(cells[0]);
    if (index === null) {
      if (/^Legend/.test(line)) break;
      continue;
    }
    const links = names.flatMap((name, at): Link[] => {
      const to = gpuNumber(name);
      const link = to === null || to === index ? null : linkOf(cells[at] ?? "");
      return link && to !== null ? [{ to, ...link }] : [];
    });
    rows.push({ index, links, numaNode: countOf(cells[names.indexOf("NUMA Affinity")]) });
  }
  return rows;
}

function gpuNumber(name: string | undefined): number | null {
  return countOf(/^GPU(\d{1,3})$/.exec(name ?? "")?.[1]);
}

function linkOf(cell: string): Omit<Link, "to"> | null {
  const bonded = /^NV(\d{1,2})$/.exec(cell)?.[1];
  if (bonded) return { link: "nvlink", links: Number(bonded) };
  const link = kinds[cell];
  return link ? { link, links: 0 } : null;
}

/** Speed of one NVLink in one direction by GPU UUID, bytes per second, from `nvidia-smi nvlink -s`; only active links. */
export function parseNvlinkSpeeds(output: string): Map<string, number> {
  const speeds = new Map<string, number>();
  let uuid = "";
  for (const line of output.split(/\r?\n/)) {
    uuid = /^GPU \d+:.*\(UUID: (GPU-[^)\s]{1,64})\)/.exec(line)?.[1] ?? uuid;
    const speed = numberOf(/^\s+Link \d+: ([\d.]+) GB\/s/.exec(line)?.[1]);
    if (uuid && speed !== null && !speeds.has(uuid)) speeds.set(uuid, speed * 1e9);
  }
  return speeds;
}

/** The connections of one GPU, by UUID. */
export function peersOf(
  row: TopologyRow,
  uuids: ReadonlyMap<number, string>,
  linkSpeed: number | undefined,
): GpuPeer[] {
  return row.links.flatMap(({ to, link, links }) => {
    const id = uuids.get(to);
    const bytesPerSecond = link === "nvlink" && linkSpeed !== undefined ? links * linkSpeed : null;
    return id === undefined ? [] : [{ id, link, links, bytesPerSecond }];
  });
}
