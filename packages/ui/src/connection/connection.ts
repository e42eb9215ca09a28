import type { AddResult, CorralClient, HostDescription } from "@corral/protocol";

/**
 * connecting: the first attempt. ready: calls work. lost: was or should be there, attempts go on by themselves.
 * refused: the host does not accept this page's key; attempts stop. incompatible: the page must be reloaded.
 */
export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "ready"; readonly host: HostDescription }
  | { readonly kind: "lost" }
  | { readonly kind: "refused"; readonly reason: "key-missing" | "key-wrong" }
  | { readonly kind: "incompatible" };

/** How a file is handed to the host: by its path on the same machine, or by sending its bytes. */
export type FileTransfer =
  | {
      readonly kind: "paths";
      /** Absolute path; empty when the file is not on disk. */
      pathOf(file: File): string;
      /** The system's open dialog; empty when cancelled. */
      pick(): Promise<string[]>;
      /** The system's dialog for a folder; null when cancelled. */
      pickFolder(): Promise<string | null>;
    }
  | {
      readonly kind: "upload";
      /**
       * Streams one file into a collection.
       * @param onProgress bytes sent so far
       * @throws when refused as a whole (see `reportOf`), or when `signal` aborts
       */
      send(
        collectionId: string,
        file: File,
        options: { signal: AbortSignal; onProgress: (bytes: number) => void },
      ): Promise<AddResult>;
    };

/** The page's one way to engine-host, over whatever carries it. Survives losing the link. */
export interface Connection {
  /** Every call is joined to the life of the present link: it rejects when that ends, or when there is none. */
  readonly client: CorralClient;
  readonly files: FileTransfer;
  state(): ConnectionState;
  /** @returns the function that stops listening */
  subscribe(listener: (state: ConnectionState) => void): () => void;
  /**
   * Runs `work` now if connected, and again each time the link comes back. Its signal aborts when the link ends or the
   * returned function is called.
   */
  whileReady(work: (signal: AbortSignal) => Promise<void>): () => void;
  /** Tries again at once instead of waiting for the next attempt. */
  retryNow(): void;
  /** Replaces a missing or wrong key (browser only). */
  enterKey(key: string): void;
  close(): void;
}
