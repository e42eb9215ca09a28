import { ORPCError } from "@orpc/client";
import type { ErrorCode, ErrorReport } from "@corral/protocol";
import i18next from "i18next";

/** There is no link to the host, or it ended before the answer came. */
export class LinkLostError extends Error {
  constructor() {
    super("The link to engine-host is not open.");
    this.name = "LinkLostError";
  }
}

/** A failure the host reported outside of a call (an upload that was refused). */
export class ReportedError extends Error {
  readonly report: ErrorReport;
  constructor(report: ErrorReport) {
    super(report.message);
    this.name = "ReportedError";
    this.report = report;
  }
}

/** The declared code of a failed call; null when it is none. */
export function errorCodeOf(thrown: unknown): ErrorCode | null {
  if (thrown instanceof ReportedError) return thrown.report.code;
  return thrown instanceof ORPCError && thrown.defined ? (thrown.code as ErrorCode) : null;
}

/** Anything a call threw, as the sentence to show: declared errors as the host worded them. */
export function reportOf(thrown: unknown): ErrorReport {
  if (thrown instanceof ReportedError) return thrown.report;
  if (thrown instanceof ORPCError) {
    // An undeclared failure is a bug on the host's side; its wording is for the log.
    if (!thrown.defined) return { code: "INTERNAL", message: i18next.t("connection:internalError"), data: {} };
    return { code: thrown.code as ErrorCode, message: thrown.message, data: thrown.data };
  }
  if (thrown instanceof TypeError || thrown instanceof RangeError) {
    return { code: "INTERNAL", message: i18next.t("connection:pageError"), data: {} };
  }
  return { code: "HOST_UNREACHABLE", message: i18next.t("connection:unreachable"), data: { address: "" } };
}

/** Something was dropped that only exists inside another program, such as a picture out of a web page. */
export function fileNotOnDisk(file: string): ReportedError {
  return new ReportedError({
    code: "FILE_NOT_FOUND",
    message: i18next.t("connection:fileNotOnDisk", { file }),
    data: { file },
  });
}
