import type { DeviceMemory } from "@corral/protocol";

/** What a plan puts on a device, in the order in which it is drawn. */
const plannedParts = [
  { key: "weights", field: "weightsBytes", className: "bg-part-1" },
  { key: "kvCache", field: "kvCacheBytes", className: "bg-part-2" },
  { key: "compute", field: "computeBytes", className: "bg-part-3" },
  { key: "overhead", field: "overheadBytes", className: "bg-part-3/50" },
  { key: "reserve", field: "reserveBytes", className: "bg-part-4/45" },
] as const;

/** Those, after what others have taken already. */
export const deviceParts = [
  { key: "others", field: "usedByOthersBytes", className: "bg-part-4" },
  ...plannedParts,
] as const;

/** Bytes a plan needs of a device, what is kept free included. */
export function neededBytes(device: DeviceMemory): number {
  return plannedParts.reduce((sum, { field }) => sum + device[field], 0);
}
