// `npm run package`: builds the Debian packages from the checkout and its node_modules, without a network.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { commands } from "../src/cli/index.ts";
import { exampleConfig } from "../src/config/example.ts";
import { bashCompletion } from "./bash-completion.ts";
import { copyFile, copyPackages, nodeFolder } from "./copy-package.ts";
import { copyrightOf } from "./copyright.ts";
import { makeDeb } from "./deb.ts";
import { manPage } from "./man-page.ts";
import { type LockedPackage, PLATFORMS, type Platform, productionTree } from "./production-tree.ts";

const USAGE = `Usage: npm run package [-- OPTIONS]
  --arch amd64|arm64   the machine it is for (default: this one)
  --version VERSION    instead of the one in package.json
  --out DIR            where the packages are written (default: dist-packages)
  --fast               do not compress; for tests
`;

interface Build {
  readonly root: string;
  readonly platform: Platform;
  readonly version: string;
  readonly out: string;
  readonly epoch: number;
  readonly compression: "xz" | "none";
  /** A temporary folder. */
  readonly work: string;
}

function main(): void {
  const build = readOptions();
  process.umask(0o022);
  try {
    const dist = compile(build);
    const tree = productionTree(build.root, build.platform);
    const results = [server(build, dist, tree.main), ...detection(build, tree.detect)];
    for (const { file, installedKib } of results) {
      const mib = Math.round(statSync(file).size / 1024 ** 2);
      console.log(`${file}: ${mib} MiB, ${Math.round(installedKib / 1024)} MiB installed`);
    }
    if (tree.detect.length === 0)
      console.log("zmes-detect is left out: no package of object detection is among the dependencies.");
  } finally {
    rmSync(build.work, { recursive: true, force: true });
  }
}

function readOptions(): Build {
  const root = path.dirname(import.meta.dirname);
  const string = { type: "string" } as const;
  const options = { arch: string, version: string, out: string, fast: { type: "boolean" } } as const;
  const { values } = parseArgs({ options, allowPositionals: false });
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
  const platform = PLATFORMS.find(({ debian, cpu }) =>
    values.arch === undefined ? cpu === process.arch : debian === values.arch,
  );
  if (!platform) throw new Error(`There are packages for amd64 and arm64 only.\n${USAGE}`);
  const version = values.version ?? manifest.version;
  if (!/^\d[\w.+~]*$/.test(version))
    throw new Error(`"${version}" cannot be the version of a package.\n${USAGE}`);
  const compression = values.fast ? "none" : "xz";
  const out = path.resolve(values.out ?? path.join(root, "dist-packages"));
  const work = mkdtempSync(path.join(tmpdir(), "zmes-package-"));
  return { root, platform, version, out, epoch: sourceDate(root), compression, work };
}

/** The time of the last commit, unless whoever builds says otherwise (reproducible-builds.org). */
function sourceDate(root: string): number {
  const given = Number(process.env.SOURCE_DATE_EPOCH);
  if (Number.isInteger(given) && given > 0) return given;
  try {
    return Number(
      execFileSync("git", ["-C", root, "log", "-1", "--format=%ct"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
  } catch {
    return RELEASED;
  }
}

/** For a source tree without git: any fixed time will do. */
const RELEASED = Date.UTC(2026, 10, 1) / 1000;

function compile({ root, work }: Build): string {
  const dist = path.join(work, "dist");
  const tsc = path.join(root, "node_modules/.bin/tsc");
  execFileSync(tsc, ["-p", path.join(root, "tsconfig.build.json"), "--outDir", dist], { stdio: "inherit" });
  return dist;
}

function server(build: Build, dist: string, packages: readonly LockedPackage[]) {
  const { root, platform, version, work, epoch } = build;
  const folder = path.join(work, "zmes");
  const home = path.join(folder, "usr/lib/zmes");
  mkdirSync(home, { recursive: true });
  copyTree(dist, path.join(home, "dist"));
  const manifest = { name: "zmes", version, type: "module", license: "MIT", private: true };
  put(home, "package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  copyFile(path.join(root, "bin/zmes"), path.join(home, "bin/zmes"));
  copyPackages(packages, platform, { root, target: home });
  const node = nodeFolder(platform, root);
  copyFile(path.join(node, "bin/node"), path.join(home, "node"));
  mkdirSync(path.join(folder, "usr/bin"), { recursive: true });
  symlinkSync("../lib/zmes/bin/zmes", path.join(folder, "usr/bin/zmes"));
  mkdirSync(path.join(folder, "var/lib/zmes"), { recursive: true });
  copyFile(
    path.join(root, "packaging/zmes.service"),
    path.join(folder, "usr/lib/systemd/system/zmes.service"),
  );
  const day = new Date(epoch * 1000).toISOString().slice(0, 10);
  put(folder, "usr/share/man/man1/zmes.1.gz", zipped(manPage(commands, version, day)));
  put(folder, "usr/share/bash-completion/completions/zmes", bashCompletion(commands));
  copyFile(
    path.join(root, "packaging/debian/lintian-overrides"),
    path.join(folder, "usr/share/lintian/overrides/zmes"),
  );
  put(folder, "usr/share/doc/zmes/copyright", copyrightOf({ root, home, packages, node }));
  put(folder, "usr/share/doc/zmes/changelog.gz", zipped(changelog("zmes", build)));
  put(folder, "usr/share/doc/zmes/NEWS.md.gz", zipped(readFileSync(path.join(root, "CHANGELOG.md"))));
  put(folder, "usr/share/doc/zmes/examples/zmes.yml", exampleConfig());
  copyDocuments(root, path.join(folder, "usr/share/doc/zmes"));
  const scripts = Object.fromEntries(
    ["postinst", "prerm", "postrm"].map((name) => [
      name,
      readFileSync(path.join(root, "packaging/debian", name), "utf8"),
    ]),
  );
  const control = {
    ...common("zmes", build),
    Depends: "libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 8), openssl",
    Suggests: "zmes-detect, zoneminder",
    Enhances: "zoneminder",
    Description: DESCRIPTION,
  };
  return makeDeb({ ...build, folder, control, scripts });
}

/** Its files lie among those of zmes, where Node looks for them. */
function detection(build: Build, packages: readonly LockedPackage[]) {
  if (packages.length === 0) return [];
  const { root, platform, version, work } = build;
  const folder = path.join(work, "zmes-detect");
  const home = path.join(folder, "usr/lib/zmes");
  copyPackages(packages, platform, { root, target: home });
  put(folder, "usr/share/doc/zmes-detect/copyright", copyrightOf({ root, home, packages, node: null }));
  put(folder, "usr/share/doc/zmes-detect/changelog.gz", zipped(changelog("zmes-detect", build)));
  const control = {
    ...common("zmes-detect", build),
    Depends: `zmes (= ${version})`,
    Description: DETECT_DESCRIPTION,
  };
  return [makeDeb({ ...build, folder, control, scripts: {} })];
}

function common(name: string, { version, platform }: Build): Readonly<Record<string, string>> {
  return {
    Package: name,
    Version: version,
    Architecture: platform.debian,
    Maintainer: MAINTAINER,
    Section: "net",
    Priority: "optional",
  };
}

const MAINTAINER = "The zmes authors <zmes@packages.invalid>";

const DESCRIPTION = `notification server for ZoneMinder
 zmes watches ZoneMinder's shared memory and tells of alarms within
 milliseconds: apps over WebSocket, phones by push, MQTT brokers and scripts.
 It reads the configuration of zmeventnotification and speaks its protocol.
 .
 The package carries its own Node.js; nothing is compiled or downloaded.`;

const DETECT_DESCRIPTION = `object detection for zmes
 The runtime for neural networks and OpenCV's people detector, with which zmes
 looks at the pictures of alarms itself. Models are not part of it.`;

function changelog(name: string, { version, epoch }: Build): string {
  const date = new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");
  return `${name} (${version}) stable; urgency=medium\n\n  * See /usr/share/doc/zmes/NEWS.md.gz.\n\n -- ${MAINTAINER}  ${date}\n`;
}

function copyDocuments(root: string, target: string): void {
  // The pages lead to each other.
  const pages = readdirSync(root).filter((name) => name.endsWith(".md") || name === "LICENSE");
  for (const name of pages) copyFile(path.join(root, name), path.join(target, name));
  for (const folder of ["docs", "examples"]) {
    if (!existsSync(path.join(root, folder))) continue;
    copyTree(path.join(root, folder), path.join(target, folder));
  }
}

function copyTree(source: string, target: string): void {
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [path.join(source, entry.name), path.join(target, entry.name)];
    if (entry.isDirectory()) copyTree(from, to);
    else copyFile(from, to);
  }
}

function put(folder: string, name: string, content: string | Buffer): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content, { mode: 0o644 });
}

/** zlib writes no time into it, so the same text gives the same bytes. */
function zipped(content: string | Buffer): Buffer {
  return gzipSync(content, { level: 9 });
}

try {
  main();
} catch (failure) {
  console.error(`The packages were not built. ${failure instanceof Error ? failure.message : failure}`);
  process.exitCode = 1;
}
