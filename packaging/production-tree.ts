// Which npm packages an installed zmes needs on a platform, by package-lock.json: nothing is resolved anew.
import { readFileSync } from "node:fs";
import path from "node:path";

export interface Platform {
  /** Debian's name. */
  readonly debian: "amd64" | "arm64";
  /** Node's name. */
  readonly cpu: "x64" | "arm64";
}

export const PLATFORMS: readonly Platform[] = [
  { debian: "amd64", cpu: "x64" },
  { debian: "arm64", cpu: "arm64" },
];

export interface LockedPackage {
  /** Where it lies, such as "node_modules/a/node_modules/b". */
  readonly at: string;
  readonly name: string;
  readonly version: string;
  readonly integrity: string | null;
  readonly license: string;
}

export interface ProductionTree {
  readonly main: readonly LockedPackage[];
  /** Only the package of detection needs these; empty when detection is not among the dependencies. */
  readonly detect: readonly LockedPackage[];
}

/** Big, and only for object detection: they go into a package of their own. */
const DETECT_ROOTS: readonly string[] = ["onnxruntime-node", "@techstark/opencv-js", "@bufbuild/protobuf"];

/** Reads the lock file in `root`. Throws when a package that is needed is not in it. */
export function productionTree(root: string, platform: Platform): ProductionTree {
  const lock = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as Lock;
  const own = lock.packages[""] ?? {};
  // Node itself is carried once, as the program that runs all this.
  const roots = Object.keys({ ...own.dependencies, ...own.optionalDependencies }).filter(
    (name) => name !== "node",
  );
  const main = closure(
    lock,
    platform,
    roots.filter((name) => !DETECT_ROOTS.includes(name)),
  );
  const detect = closure(
    lock,
    platform,
    roots.filter((name) => DETECT_ROOTS.includes(name)),
  );
  for (const at of main.keys()) detect.delete(at);
  return { main: sorted(main), detect: sorted(detect) };
}

interface Lock {
  readonly packages: Readonly<Record<string, Entry>>;
}

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function closure(lock: Lock, platform: Platform, roots: readonly string[]): Map<string, LockedPackage> {
  const found = new Map<string, LockedPackage>();
  const visit = (name: string, from: string, mayBeMissing: boolean): void => {
    const at = resolve(lock, name, from);
    const entry = at === null ? undefined : lock.packages[at];
    if (at === null || entry === undefined) {
      if (mayBeMissing) return;
      throw new Error(`package-lock.json has no ${name}, which ${from || "package.json"} needs.`);
    }
    if (found.has(at) || !fits(entry, platform) || isForBuildingOnly(name)) return;
    const { version = "", integrity = null, license = "see its folder" } = entry;
    found.set(at, { at, name, version, integrity, license });
    // npm lists the optional ones under both.
    for (const needed of Object.keys(entry.dependencies ?? {}))
      visit(needed, at, entry.optionalDependencies?.[needed] !== undefined);
    for (const wanted of Object.keys(entry.optionalDependencies ?? {})) visit(wanted, at, true);
  };
  for (const name of roots) visit(name, "", false);
  return found;
}

/** As Node looks for it: in the folder of whoever asks, then in those above. */
function resolve(lock: Lock, name: string, from: string): string | null {
  for (let folder = from; ; ) {
    const at = path.posix.join(folder, "node_modules", name);
    if (lock.packages[at] !== undefined) return at;
    if (folder === "") return null;
    const end = folder.lastIndexOf("/node_modules/");
    folder = end === -1 ? "" : folder.slice(0, end);
  }
}

function fits({ os, cpu, libc }: Entry, platform: Platform): boolean {
  return allows(os, "linux") && allows(cpu, platform.cpu) && allows(libc, "glibc");
}

function allows(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined) return true;
  return list.includes(value) || (!list.includes(`!${value}`) && list.every((item) => item.startsWith("!")));
}

/** Declarations of types, headers for compiling what comes compiled, and with what onnxruntime's script fetches CUDA. */
function isForBuildingOnly(name: string): boolean {
  return name.startsWith("@types/") || ["node-addon-api", "adm-zip", "global-agent"].includes(name);
}

function sorted(packages: ReadonlyMap<string, LockedPackage>): LockedPackage[] {
  return [...packages.values()].sort((one, other) => (one.at < other.at ? -1 : 1));
}
