/**
 * Frames on the IPC channel between Electron main and engine-host (child_process, `serialization: "advanced"`).
 * Main relays them without reading `data`. `link` numbers one page's port.
 */
export type HostFrame =
  | { type: "link-open"; link: number }
  | { type: "link-data"; link: number; data: string | Uint8Array | ArrayBuffer }
  | { type: "link-close"; link: number };

/** From main to engine-host. `shutdown`: finish writing and exit with code 0. */
export type ToHost = HostFrame | { type: "shutdown" };

/** From engine-host to main. */
export type FromHost =
  | HostFrame
  | { type: "ready" }
  /** Sent every 2 s; main restarts a host that is silent for 15 s. */
  | { type: "heartbeat" }
  /** Start-up failed in a way the user can act on; the host exits after this. */
  | { type: "failed"; code: string; message: string };
