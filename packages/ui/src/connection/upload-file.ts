import type { AddResult, ErrorReport } from "@corral/protocol";
import { LinkLostError, ReportedError } from "./error-report.ts";

/** What is sent, and where to. */
export interface UploadRequest {
  key: string;
  collectionId: string;
  file: File;
  signal: AbortSignal;
  /** Bytes sent so far. */
  onProgress: (bytes: number) => void;
}

/**
 * Sends one file to the host as a stream. XMLHttpRequest, because fetch cannot tell how much of a body was sent.
 * @throws ReportedError when the host refuses it, LinkLostError when the connection breaks, the abort reason when aborted
 */
export function uploadFile({ key, collectionId, file, signal, onProgress }: UploadRequest): Promise<AddResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", `/api/upload?${new URLSearchParams({ collectionId, name: file.name }).toString()}`);
    request.setRequestHeader("Authorization", `Bearer ${key}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () => {
      const answer = parse(request.responseText);
      if (request.status >= 200 && request.status < 300 && answer && "outcome" in answer) resolve(answer);
      else if (answer && "error" in answer && answer.error) reject(new ReportedError(answer.error));
      else reject(new LinkLostError());
    });
    request.addEventListener("error", () => reject(new LinkLostError()));
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

function parse(text: string): AddResult | { error: ErrorReport } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as AddResult | { error: ErrorReport }) : null;
  } catch {
    return null;
  }
}
