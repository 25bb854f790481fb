// `zmes export`: a configuration that the original reads, for those who want to go back.
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { reasonOf } from "../lib/errors.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { readConfiguration } from "./configuration.ts";
import { type Export, makeExport } from "./export/files.ts";
import type { Target } from "./export/settings.ts";
import { readAsServer } from "./read-as-server.ts";
import { findUser, type WebUser } from "./setup/owned-files.ts";

export const exportCommand: Command = {
  name: "export",
  summary: "write the configuration for zmeventnotification 6 or 7, to go back",
  usage: "export --to 7 [--out DIR] [--config FILE]",
  options: [
    { flag: "--to VERSION", text: "7 (YAML) or 6 (INI); version 5 reads what is written for 6" },
    { flag: "--out DIR", text: "folder for the files; without it, zmeventnotification-7 here" },
    { flag: "--config FILE", text: "the configuration to export, when it is not the installed one" },
  ],
  notes: [
    "Nothing is overwritten, and nothing of zmes is changed. The files name each other by their whole paths, so leave them where they are, or write them where they are to stay.",
    "tokens.txt holds the phones as versions 6 and 7 read them, tokens-before-6.txt as 1.0 to 5 do.",
  ],
  async run(argv, io) {
    const options = readOptions(argv);
    if (typeof options === "string") return refuseUsage(io, "export", options);
    const folder = path.resolve(options.out ?? `zmeventnotification-${options.to}`);
    const loaded = readConfiguration({ overrides: [], configPath: options.config }, io.env);
    if (!loaded.source.read)
      return failed(io, `${loaded.source.path} cannot be read: there is nothing to export`);
    const user = await serverUser(loaded.config.zoneminder.config);
    const phones = await readAsServer(loaded.config.fcm.token_file, user?.name ?? "root");
    const made = makeExport(loaded, { target: options.to, folder, phones });
    const there = made.files.map(({ name }) => path.join(folder, name)).filter((file) => existsSync(file));
    if (there.length > 0)
      return failed(
        io,
        `${there.join(", ")} is there already and stays as it is. Name another folder with --out`,
      );
    try {
      write(made, folder, user?.gid ?? null);
    } catch (failure) {
      return failed(io, `This could not be written: ${reasonOf(failure)}`);
    }
    io.stdout.write(report(made, options.to, folder));
    return EXIT.ok;
  },
};

interface Options {
  readonly to: Target;
  readonly out: string | undefined;
  readonly config: string | null;
}

function readOptions(argv: readonly string[]): Options | string {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({ args: [...argv], options: { to: text, out: text, config: text } });
    const to = values.to === "6" ? 6 : values.to === "7" ? 7 : null;
    if (to === null) return "--to takes 7 or 6.";
    return { to, out: values.out, config: values.config ?? null };
  } catch (failure) {
    return reasonOf(failure);
  }
}

function failed(io: CommandIo, problem: string): number {
  io.stderr.write(`zmes export: ${problem}.\n`);
  return EXIT.failed;
}

/** ZoneMinder's web user, as whom the original runs too; null where we are not root and can give no file away. */
async function serverUser(zmConf: string): Promise<WebUser | null> {
  if (process.getuid?.() !== 0) return null;
  const read = readZmConf(zmConf);
  return await findUser((read.ok ? read.conf.values.get("ZM_WEB_USER") : undefined) ?? "www-data");
}

/** Passwords are in there. */
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;

/** Whatever root's umask is: the server's group reads them. By descriptor, so that no link changes whose file that is. */
function write({ files }: Export, folder: string, group: number | null): void {
  const isNew = mkdirSync(folder, { recursive: true, mode: FOLDER_MODE }) !== undefined;
  if (isNew) withDescriptor(folder, "r", (fd) => give(fd, FOLDER_MODE, group));
  const begun: string[] = [];
  try {
    for (const { name, text } of files)
      withDescriptor(path.join(folder, name), "wx", (fd) => {
        begun.push(path.join(folder, name));
        give(fd, FILE_MODE, group);
        writeFileSync(fd, text);
      });
  } catch (failure) {
    // Half an export would be taken for a whole one, and stand in the way of the next.
    for (const file of begun) rmSync(file, { force: true });
    throw failure;
  }
}

function withDescriptor(file: string, flags: "r" | "wx", work: (fd: number) => void): void {
  const fd = openSync(file, flags, 0o600);
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}

function give(fd: number, mode: number, group: number | null): void {
  if (group !== null) fchownSync(fd, 0, group);
  fchmodSync(fd, mode);
}

function report({ files, lost }: Export, target: Target, folder: string): string {
  const width = Math.max(0, ...lost.map(({ what }) => what.length));
  const left = [
    `Version ${target} has no place for:`,
    ...lost.map(({ what, why }) => `  ${what.padEnd(width)}  ${why}`),
    "",
  ];
  const config = path.join(folder, files[0]?.name ?? "");
  const lines = [
    ...files.map(({ name }) => `Written: ${path.join(folder, name)}`),
    "",
    ...(lost.length > 0 ? left : []),
    `To go back: zmes install-daemon --uninstall, then put ${config} into /etc/zm and restart ZoneMinder.`,
  ];
  return `${lines.join("\n")}\n`;
}
