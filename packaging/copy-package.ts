// Copies npm packages into an installation: from node_modules, or fetched with npm where they are for another machine.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import path from "node:path";
import type { LockedPackage, Platform } from "./production-tree.ts";

/** Copies the packages with everything that is used while the program runs, and nothing else, to `target`. */
export function copyPackages(
  packages: readonly LockedPackage[],
  platform: Platform,
  { root, target }: { readonly root: string; readonly target: string },
): void {
  for (const locked of packages) {
    const installed = path.join(root, locked.at);
    const source = existsSync(path.join(installed, "package.json")) ? installed : fetchPackage(locked, root);
    copyTree(source, path.join(target, locked.at), platform);
  }
}

/** The folder of Node.js for the platform, with `bin/node` and LICENSE. */
export function nodeFolder(platform: Platform, root: string): string {
  const own = path.join(root, "node_modules/node");
  const { version } = JSON.parse(readFileSync(path.join(own, "package.json"), "utf8")) as { version: string };
  const name = `node-linux-${platform.cpu}`;
  const installed = path.join(own, "node_modules", name);
  if (existsSync(path.join(installed, "bin/node"))) return installed;
  return fetchPackage({ name, version, integrity: null }, root);
}

/** Fetches the package once and keeps it unpacked in `.cache`. Throws, saying what to do, when npm cannot get it. */
function fetchPackage(
  { name, version, integrity }: Pick<LockedPackage, "name" | "version" | "integrity">,
  root: string,
): string {
  const cache = path.join(root, ".cache/packages");
  const folder = path.join(cache, `${name.replace("/", "+")}-${version}`);
  if (existsSync(path.join(folder, "package.json"))) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(path.join(cache, "fetching-"));
  try {
    const tarball = path.join(work, npmPack(`${name}@${version}`, work));
    checkIntegrity(tarball, integrity, name);
    const unpacked = path.join(work, "package");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", unpacked]);
    mkdirSync(path.dirname(folder), { recursive: true });
    execFileSync("mv", ["-T", unpacked, folder]);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function npmPack(wanted: string, work: string): string {
  const args = ["pack", wanted, "--pack-destination", work, "--prefer-offline", "--loglevel=error"];
  try {
    return execFileSync("npm", args, { encoding: "utf8", timeout: FETCH_TIMEOUT_MS }).trim();
  } catch (failure) {
    throw new Error(
      `${wanted} is not in node_modules, because it is for another machine, and npm could not fetch it. ` +
        "Build once with a network, or on a machine of that kind.",
      { cause: failure },
    );
  }
}

const FETCH_TIMEOUT_MS = 180_000;

/** What the lock file says; npm itself has checked what it says no word about. */
function checkIntegrity(file: string, integrity: string | null, name: string): void {
  if (integrity === null) return;
  const [algorithm = "", expected = ""] = integrity.split(/-(.*)/s);
  const found = createHash(algorithm).update(readFileSync(file)).digest("base64");
  if (found !== expected) throw new Error(`${name} is not the package that package-lock.json names.`);
}

function copyTree(source: string, target: string, platform: Platform, below = ""): void {
  const entries = readdirSync(path.join(source, below), { withFileTypes: true });
  for (const entry of entries) {
    const name = path.posix.join(below, entry.name);
    if (!isUsed(name, platform)) continue;
    if (entry.isDirectory()) copyTree(source, target, platform, name);
    else if (entry.isFile()) copyFile(path.join(source, name), path.join(target, name));
  }
}

/** Unlike a copy of the whole tree, the modes are the same whoever built it. */
export function copyFile(source: string, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(source, target);
  const isScript = (statSync(source).mode & 0o100) !== 0 && !isLibrary(target);
  chmodSync(target, isScript ? 0o755 : 0o644);
}

function isLibrary(file: string): boolean {
  return /\.(node|so)(\.[\d.]+)?$|\.(m|c)?js$|\.json$/.test(file);
}

/** `name` is relative to the package. */
function isUsed(name: string, { cpu }: Platform): boolean {
  if (name === "node_modules" || LEFT_OUT.test(name)) return false;
  const prebuilt = /^prebuilds\/([a-z\d]+)-([a-z\d]+)$/.exec(name);
  if (prebuilt) return prebuilt[1] === "linux" && prebuilt[2] === cpu;
  const onnx = /^bin\/napi-v\d+\/([a-z\d]+)(?:\/([a-z\d]+))?$/.exec(name);
  if (onnx) return onnx[1] === "linux" && (onnx[2] === undefined || onnx[2] === cpu);
  return !name.endsWith(".musl.node");
}

/** Sources of what comes built, types, maps, documents other than licenses, tests, sites, settings of tools. */
const LEFT_OUT = new RegExp(
  [
    String.raw`\.[cm]?ts$|\.map$|\.(c|cc|cpp|h|hpp|gyp|gypi|flow|markdown|tsbuildinfo)$`,
    String.raw`^(?!.*(licen[cs]e|notice|copying)).*\.md$`,
    String.raw`^(test|tests|__tests__|benchmarks?|docs?|examples?|test\.js)$`,
    String.raw`^index\.html$|^Dockerfile`,
    String.raw`(^|/)\.[^/]+$`,
  ].join("|"),
  "i",
);
