import { readFile } from "node:fs/promises";
import { CorralError, planHardware, type PlanHardware } from "@corral/protocol";

/**
 * A machine from a file: what `corral hardware --json` printed, here or elsewhere. Of what is missing, a GPU counts as idle,
 * and a machine as having no GPU.
 * @throws CorralError FILE_NOT_FOUND, INVALID_INPUT naming the field
 */
export async function readHardwareFile(path: string): Promise<PlanHardware> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new CorralError("FILE_NOT_FOUND", `There is no readable file ${path}.`, { file: path });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(path, "", "it is not JSON");
  }
  const parsed = planHardware.safeParse(completed(value));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refused(path, issue?.path.join(".") ?? "", issue?.message ?? "it does not describe a machine");
}

function completed(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { cpu, memory, gpus } = value as Record<string, unknown>;
  return {
    cpu: { name: "CPU", physicalCores: 16, logicalCores: 32, ...(cpu as object | undefined) },
    memory: withFree(memory, "availableBytes"),
    gpus: Array.isArray(gpus)
      ? gpus.map((gpu: unknown, index) =>
          typeof gpu === "object" && gpu !== null
            ? { id: `gpu-${index}`, index, vendor: "NVIDIA", ...(withFree(gpu, "freeBytes") as object) }
            : gpu,
        )
      : (gpus ?? []),
  };
}

function withFree(value: unknown, field: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { totalBytes } = value as Record<string, unknown>;
  return { totalBytes: null, [field]: totalBytes ?? null, ...value };
}

function refused(path: string, field: string, reason: string): CorralError<"INVALID_INPUT"> {
  const where = field === "" ? "" : ` at ${field}`;
  return new CorralError("INVALID_INPUT", `${path} is no description of a machine${where}: ${reason}.`, {
    ...(field === "" ? {} : { field }),
    reason,
  });
}
