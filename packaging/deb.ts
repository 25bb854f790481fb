// Makes a .deb of a folder: the same bytes from the same input, whenever and by whomever it is built.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface DebOptions {
  /** Holds what is installed, laid out from the root of the machine. */
  readonly folder: string;
  /** The fields of `control`, without Installed-Size; a value may have several lines. */
  readonly control: Readonly<Record<string, string>>;
  /** Maintainer scripts by name. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly out: string;
  /** Seconds since 1970, for every file in it. */
  readonly epoch: number;
  /** "xz" takes a minute and is small; "none" is for tests. */
  readonly compression: "xz" | "none";
}

/** Writes the package; gives its file and what it takes when it is installed, in KiB. */
export function makeDeb(options: DebOptions): { readonly file: string; readonly installedKib: number } {
  const { folder, control, scripts, out, epoch, compression } = options;
  const entries = list(folder);
  const installedKib = entries.reduce((sum, { kib }) => sum + kib, 0);
  const debian = path.join(folder, "DEBIAN");
  mkdirSync(debian, { mode: 0o755 });
  const fields = { ...control, "Installed-Size": String(installedKib) };
  const sums = entries.flatMap(({ name, isFile }) =>
    isFile ? [`${md5(path.join(folder, name))}  ${name}`] : [],
  );
  writeFileSync(path.join(debian, "control"), Object.entries(fields).map(field).join(""), { mode: 0o644 });
  writeFileSync(path.join(debian, "md5sums"), sums.map((line) => `${line}\n`).join(""), { mode: 0o644 });
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(path.join(debian, name), text, { mode: 0o755 });
  for (const { name } of [...list(folder), { name: "." }]) lutimesSync(path.join(folder, name), epoch, epoch);
  const { Package, Version, Architecture } = control;
  const file = path.join(out, `${Package}_${Version}_${Architecture}.deb`);
  mkdirSync(out, { recursive: true });
  execFileSync("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "--build", folder, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { file, installedKib };
}

interface Entry {
  /** Relative to the folder. */
  readonly name: string;
  readonly isFile: boolean;
  readonly kib: number;
}

/** Everything in it, sorted. */
function list(folder: string): Entry[] {
  return (readdirSync(folder, { recursive: true, encoding: "utf8" }) as string[]).sort().map((name) => {
    const found = lstatSync(path.join(folder, name));
    // dpkg counts so: files in whole KiB, everything else as one.
    return { name, isFile: found.isFile(), kib: found.isFile() ? Math.ceil(found.size / 1024) : 1 };
  });
}

function field([name, value]: readonly [string, string]): string {
  return `${name}: ${value}\n`;
}

function md5(file: string): string {
  return createHash("md5").update(readFileSync(file)).digest("hex");
}
