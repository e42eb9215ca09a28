import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createHardware, type HardwareOptions, type SystemInformation } from "../read-hardware.ts";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** A machine whose tools print what a folder of fixtures holds. */
export interface FakeMachine extends AsyncDisposable {
  /** Its own folder; `bin` in it is the whole PATH of its tools. */
  readonly folder: string;
  readonly options: HardwareOptions;
  /** Puts a program in a tool's place. */
  setTool(name: string, script: string): Promise<void>;
  /** The arguments of every call of its tools so far. */
  calls(): Promise<string[]>;
}

const nvidiaSmi = `case "$*" in
  *--query-gpu=*-lms*)
    interval=\${*##*-lms }
    show nvidia-smi.query-gpu.csv || exit
    while :; do /bin/sleep 0.05; /usr/bin/tail -n +2 "$fixture/nvidia-smi.query-gpu.csv"; done ;;
  --query-gpu=*) show nvidia-smi.query-gpu.csv ;;
  --query-compute-apps=*) show nvidia-smi.compute-apps.csv ;;
  "topo -m") show nvidia-smi.topo.txt ;;
  "nvlink -s") show nvidia-smi.nvlink.txt ;;
  -L) show nvidia-smi.list.txt ;;
  "") show nvidia-smi.txt ;;
  *) echo "Invalid combination of input arguments"; exit 2 ;;
esac`;
const amdSmi = `case "$1" in static|metric|topology|process|version) show "amd-smi.$1.json" ;; *) exit 2 ;; esac`;
const xpuSmi = `case "$*" in
  "discovery -j") show xpu-smi.discovery.json ;;
  "discovery -d 0 -j") show xpu-smi.discovery-0.json ;;
  "stats -d 0 -j") show xpu-smi.stats-0.json ;;
  "ps -j") show xpu-smi.ps.json ;;
  *) exit 1 ;;
esac`;

/** The program each fixture file belongs to. */
const tools: [name: string, sign: string, script: string][] = [
  ["nvidia-smi", "nvidia-smi.txt", nvidiaSmi],
  ["amd-smi", "amd-smi.static.json", amdSmi],
  ["rocm-smi", "rocm-smi.json", "show rocm-smi.json"],
  ["xpu-smi", "xpu-smi.discovery.json", xpuSmi],
  ["lspci", "lspci.txt", "show lspci.txt"],
  ["ioreg", "ioreg.txt", "show ioreg.txt"],
  ["sysctl", "sysctl.txt", "show sysctl.txt"],
  ["powershell.exe", "powershell.json", "show powershell.json"],
];

/** The machine of a fixture folder; null: one without any tool. @param platform the operating system it claims to run */
export async function openFakeMachine(
  fixture: string | null,
  platform: NodeJS.Platform = "linux",
): Promise<FakeMachine> {
  const folder = await mkdtemp(join(tmpdir(), "corral-machine-"));
  const source = fixture === null ? folder : join(fixtures, fixture);
  const text = (name: string) => readFile(join(source, name), "utf8").catch(() => null);
  const paths = { bin: join(folder, "bin"), sys: join(folder, "sys"), proc: join(folder, "proc") };
  for (const path of Object.values(paths)) await mkdir(path);

  const setTool = async (name: string, script: string) => {
    const path = join(paths.bin, name);
    const log = `echo "${name} $*" >> '${folder}/calls'`;
    const show = `show() { /bin/cat "$fixture/$1"; }`;
    await writeFile(path, `#!/bin/sh\nfixture='${source}'\n${log}\n${show}\n${script}\n`);
    await chmod(path, 0o755);
  };
  for (const [name, sign, script] of tools) {
    if (fixture === null || (await text(sign)) === null) continue;
    const code = await text(`${name}.exit`);
    await setTool(name, code === null ? script : `show ${sign}; exit ${Number(code)}`);
  }
  const files = JSON.parse((fixture === null ? null : await text("sys.json")) ?? "{}") as Record<string, string>;
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(paths.sys, path)), { recursive: true });
    await writeFile(join(paths.sys, path), content);
  }
  const processor = (fixture === null ? null : await text("cpuinfo.txt")) ?? "processor\t: 0\n";
  await writeFile(join(paths.proc, "cpuinfo"), processor);
  const recorded = fixture === null ? null : await text("systeminformation.json");

  return {
    folder,
    options: {
      diskPath: folder,
      environment: { PATH: paths.bin },
      machine: {
        platform,
        architecture: platform === "darwin" ? "arm64" : "x64",
        sysRoot: paths.sys,
        procRoot: paths.proc,
        ...(recorded === null ? {} : { system: systemOf(recorded), isElsewhere: true }),
      },
    },
    setTool,
    async calls() {
      return (await readFile(join(folder, "calls"), "utf8").catch(() => "")).split("\n").slice(0, -1);
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function systemOf(recorded: string): SystemInformation {
  const answers = JSON.parse(recorded) as {
    [Key in "osInfo" | "cpu" | "mem"]: Awaited<ReturnType<SystemInformation[Key]>>;
  };
  return {
    osInfo: () => Promise.resolve(answers.osInfo),
    cpu: () => Promise.resolve(answers.cpu),
    mem: () => Promise.resolve(answers.mem),
    graphics: () => Promise.resolve({ controllers: [] }),
  };
}

/** The snapshot of a fixture's machine. */
export async function snapshotOf(fixture: string, platform: NodeJS.Platform = "linux") {
  await using machine = await openFakeMachine(fixture, platform);
  return await createHardware(machine.options).snapshot();
}
