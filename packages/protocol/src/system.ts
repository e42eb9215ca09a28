import { z } from "zod";

export const hostDescription = z.object({
  protocolVersion: z.number().int(),
  appVersion: z.string(),
  /** desktop: the page runs in the installed app. headless: in a browser. */
  shell: z.enum(["desktop", "headless"]),
  dataDirectory: z.string(),
  /** Endings of files that can be added, with the dot. */
  supportedFileTypes: z.array(z.string()),
  uploadLimitBytes: z.number(),
});
export type HostDescription = z.infer<typeof hostDescription>;

export const doctorCheck = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(["ok", "warning", "failed"]),
  detail: z.string(),
  /** What to do about it; null when nothing is wrong. */
  remedy: z.string().nullable(),
});
export type DoctorCheck = z.infer<typeof doctorCheck>;

/** How programs reach the host's APIs. */
export const programAccess = z.object({
  /** "http://127.0.0.1:7410"; null: the host does not listen. */
  address: z.string().nullable(),
  /** The owner's: whoever has it may do everything. */
  key: z.string(),
});
export type ProgramAccess = z.infer<typeof programAccess>;
