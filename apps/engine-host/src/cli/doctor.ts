import { CorralError, type DoctorCheck } from "@corral/protocol";
import { defineCommand, type Surroundings, UsageError } from "./command.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary: "check that everything Corral needs works here",
  help: `
Usage: corral doctor [--json]

Checks the data directory, the disk, the database, the model, the document reader and what is needed to show the
interface, and says what to do about anything that is wrong. The exit code is 1 when a check failed.
With --json: {"checks":[{"id","title","status","detail","remedy"}]}`,
  options: {},
  async run({ positionals, output, ...surroundings }) {
    if (positionals.length > 0) throw new UsageError("corral doctor takes no arguments.");
    const checks = await examine({ output, ...surroundings });
    output.result({ checks }, () => checks.map(describeCheck).join("\n"));
    return checks.some(({ status }) => status === "failed") ? 1 : 0;
  },
});

async function examine({ connect, signal, output }: Surroundings): Promise<DoctorCheck[]> {
  try {
    await using session = await connect();
    output.status("Checking …");
    return await session.client.system.doctor(undefined, { signal });
  } catch (error) {
    if (!(error instanceof CorralError) || error.code === "CANCELLED") throw error;
    // That no host starts is itself the finding.
    return [{ id: "start", title: "Corral starts", status: "failed", detail: error.message, remedy: null }];
  }
}

const marks: Record<DoctorCheck["status"], string> = { ok: "✓", warning: "!", failed: "✗" };

function describeCheck({ status, title, detail, remedy }: DoctorCheck): string {
  return `${marks[status]} ${title}: ${detail}${remedy ? `\n    ${remedy}` : ""}`;
}
