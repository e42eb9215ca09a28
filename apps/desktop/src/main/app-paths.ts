import { join } from "node:path";

/** Where the parts of the app lie. */
export interface AppPaths {
  ui: string;
  preload: string;
  /** The Node 24 binary that runs engine-host. */
  node: string;
  /** engine-host's program. */
  hostProgram: string;
  /** Icons, reader model, samples. */
  resources: string;
}

/**
 * Packaged: all but the shell itself lies unpacked beside the asar, because native files and another process must read it.
 * From the repository: the workspaces' own folders.
 */
export function appPaths(options: {
  packaged: boolean;
  resourcesPath: string;
  mainDirectory: string;
  platform: NodeJS.Platform;
}): AppPaths {
  const { packaged, resourcesPath, mainDirectory, platform } = options;
  const preload = join(mainDirectory, "preload.cjs");
  if (packaged) {
    return {
      ui: join(resourcesPath, "ui"),
      preload,
      node: join(resourcesPath, "node", platform === "win32" ? "node.exe" : "node"),
      hostProgram: join(resourcesPath, "engine-host", "corral.js"),
      resources: join(resourcesPath, "corral"),
    };
  }
  const repository = join(mainDirectory, "..", "..", "..");
  return {
    ui: join(repository, "packages", "ui", "dist"),
    preload,
    node: join(repository, "node_modules", "node", "bin", platform === "win32" ? "node.exe" : "node"),
    hostProgram: join(repository, "apps", "engine-host", "bin", "corral.mjs"),
    resources: join(repository, "resources"),
  };
}

/** Variables engine-host may see; everything else (NODE_*, LD_*, *_PROXY, HF_*) stays behind. */
const inheritedVariables = [
  "PATH",
  "HOME",
  "USER",
  "USERPROFILE",
  "LOCALAPPDATA",
  "APPDATA",
  "SystemRoot",
  "TEMP",
  "TMP",
  "TMPDIR",
  "LANG",
  "LC_ALL",
  "XDG_DATA_HOME",
  "XDG_RUNTIME_DIR",
  "CUDA_VISIBLE_DEVICES",
  "CORRAL_DATA_DIR",
];

/** The environment engine-host is started with. */
export function hostEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    inheritedVariables.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
