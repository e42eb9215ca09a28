/** A file made to do harm, and what has to become of it. */
export interface HostileFile {
  name: string;
  bytes: Buffer;
  /** refused: with a reason. read: its text is taken within the limits. either: as the parser can. */
  outcome: "refused" | "read" | "either";
}
