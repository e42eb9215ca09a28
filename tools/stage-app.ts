import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundleDesktop, bundleHost, nativePackages } from "./bundle.ts";

/**
 * Lays out what electron-builder packs, under dist/stage:
 *
 *     desktop/       the shell: package.json, main.js, preload.cjs (goes into the asar)
 *     engine-host/   the bundled host and its workers, with node_modules of the packages that have native files
 *     node/          the Node 24 binary that runs it
 *     ui/            the built UI
 *     corral/        icons, reader model, samples, licences
 *
 *     node tools/stage-app.ts [--backends cpu,cuda,vulkan,metal]      (default: all that npm installed for this platform)
 */
const repository = fileURLToPath(new URL("..", import.meta.url));

interface PackageManifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

async function readManifest(directory: string): Promise<PackageManifest> {
  return JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as PackageManifest;
}

/** Node's own look-up: the nearest node_modules upwards that holds the package. */
function findPackage(name: string, from: string): string | null {
  for (let directory = from; ; directory = dirname(directory)) {
    const candidate = join(directory, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (directory === dirname(directory)) return null;
  }
}

/**
 * The folders of a package and of everything it needs at run time. Optional dependencies that npm left out for this
 * platform are skipped, as are inference backends not asked for.
 */
async function packageClosure(names: readonly string[], wanted: (name: string) => boolean): Promise<Set<string>> {
  const found = new Set<string>();
  const visit = async (name: string, from: string, optional: boolean): Promise<void> => {
    const directory = findPackage(name, from);
    if (directory === null) {
      if (optional) return;
      throw new Error(`${name}, needed by ${from}, is not installed. Run npm ci.`);
    }
    if (found.has(directory)) return;
    found.add(directory);
    const { dependencies = {}, optionalDependencies = {} } = await readManifest(directory);
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (wanted(dependency)) await visit(dependency, directory, dependency in optionalDependencies);
    }
  };
  for (const name of names) await visit(name, repository, false);
  return found;
}

/** The part of a backend package's name that tells its kind: "@node-llama-cpp/linux-x64-cuda-ext" is "cuda". */
function backendOf(packageName: string): string | null {
  const match = /^@node-llama-cpp\/[a-z]+-[a-z0-9]+(?:-([a-z]+))?/.exec(packageName);
  return match === null ? null : (match[1] ?? (packageName.includes("/mac-") ? "metal" : "cpu"));
}

/** Backend packages npm installed for another architecture (npm has no way to leave armv7l out) are not shipped. */
function isForThisMachine(packageName: string): boolean {
  const platform = { darwin: "mac", win32: "win" }[process.platform as string] ?? process.platform;
  return packageName.startsWith(`@node-llama-cpp/${platform}-${process.arch}`);
}

/** Files of a package that nothing reads at run time. Licences and notices are kept, whatever their ending. */
function isLeftOut(path: string): boolean {
  if (/(licen[cs]e|copying|notice|copyright)[^/\\]*$/i.test(path)) return false;
  return /(\.map|\.[cm]?tsx?|\.md|\.markdown|[/\\](test|tests|docs|example|examples|\.github))$/i.test(path);
}

/** @param backends kinds to ship, or null for all */
export async function stageApp(target: string, backends: readonly string[] | null): Promise<void> {
  await rm(target, { recursive: true, force: true });
  const wanted = (name: string) => {
    const backend = backendOf(name);
    return backend === null || (isForThisMachine(name) && (backends === null || backends.includes(backend)));
  };

  await bundleDesktop(join(target, "desktop"));
  const { version } = await readManifest(repository);
  const shell = {
    name: "corral",
    productName: "Corral",
    version,
    type: "module",
    main: "main.js",
    license: "Apache-2.0",
  };
  await writeFile(join(target, "desktop/package.json"), `${JSON.stringify(shell, null, 2)}\n`);

  await bundleHost(join(target, "engine-host"));
  await writeFile(
    join(target, "engine-host/package.json"),
    `${JSON.stringify({ type: "module", version }, null, 2)}\n`,
  );
  for (const directory of await packageClosure(nativePackages, wanted)) {
    const place = join(target, "engine-host", relative(repository, directory));
    const nested = join(directory, "node_modules");
    await cp(directory, place, {
      recursive: true,
      filter: (source) => !source.startsWith(nested) && !isLeftOut(source.slice(directory.length)),
    });
  }

  const nodeName = process.platform === "win32" ? "node.exe" : "node";
  await mkdir(join(target, "node"), { recursive: true });
  await cp(await realpath(process.execPath), join(target, "node", nodeName));
  await chmod(join(target, "node", nodeName), 0o755);

  await cp(join(repository, "packages/ui/dist"), join(target, "ui"), { recursive: true });
  await cp(join(repository, "resources"), join(target, "corral"), { recursive: true });
  await cp(join(repository, "LICENSE"), join(target, "corral/LICENSE"));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { backends: { type: "string" } } });
  await stageApp(join(repository, "dist/stage"), values.backends?.split(",") ?? null);
}
