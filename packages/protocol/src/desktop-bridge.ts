/** What the preload script puts on `window.corral` in the desktop app. Nothing else of Electron reaches the page. */
export interface DesktopBridge {
  /**
   * Asks Electron main for a port to engine-host. The port arrives as a `message` event on `window` whose data is
   * `{ type: "corral-port", nonce }` and whose `ports[0]` is the port. Again after engine-host was restarted.
   */
  requestPort(nonce: string): void;
  /** The absolute path of a file the user dropped or picked; empty for a file that is not on disk. */
  pathOfFile(file: File): string;
  /** Shows the system's open dialog for documents; resolves to absolute paths, empty when cancelled. */
  pickDocuments(): Promise<string[]>;
  /** Shows the system's dialog for a folder; resolves to its absolute path, null when cancelled. */
  pickFolder(): Promise<string | null>;
  readonly platform: "darwin" | "win32" | "linux";
}
