/** Raised when the contract changes in a way an older page cannot speak. */
export const PROTOCOL_VERSION = 1;
