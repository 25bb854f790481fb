// `zmes install-daemon`: lets ZoneMinder start the notification server, in place of the original.
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadConfig } from "../config/load.ts";
import { AppError, reasonOf } from "../lib/errors.ts";
import { ownProgram } from "../lib/own-program.ts";
import {
  closedToOthers,
  type DaemonFile,
  type DaemonProgram,
  daemonFile,
  type Installed,
  type Uninstalled,
} from "../zoneminder/daemon-file.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { forgetMade, MADE_FILES, noteMade } from "./made-files.ts";
import { asTyped, typedName } from "./typed-name.ts";

export const installDaemon: Command = {
  name: "install-daemon",
  summary: "let ZoneMinder start zmes as its zmeventnotification.pl",
  usage: "install-daemon [--uninstall] [--path DIR] [--config FILE]",
  options: [
    { flag: "--uninstall", text: "put the original back, or leave nothing" },
    { flag: "--path DIR", text: "ZoneMinder's folder of programs, when it is not ZM_PATH_BIN of zm.conf" },
    { flag: "--config FILE", text: "the configuration, which may name another zm.conf" },
  ],
  notes: [
    "Either ZoneMinder starts zmes or systemd does, never both. An original zmeventnotification.pl is kept beside the new file, as zmeventnotification.pl.zmes-original.",
  ],
  async run(argv, io) {
    const options = readOptions(argv);
    if (typeof options === "string") return refuseUsage(io, "install-daemon", options);
    const folder = options.path ?? binFolder(options.config, io);
    if (folder === null) return EXIT.failed;
    const daemon = daemonFile(path.resolve(folder));
    try {
      if (options.uninstall) uninstall(daemon, io);
      else install(daemon, io);
      return EXIT.ok;
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      io.stderr.write(
        `zmes install-daemon: ${failure.message} [${failure.code}]\n${asTyped(failure.hint, typedName(io.env))}\n`,
      );
      return EXIT.failed;
    }
  },
};

interface Options {
  readonly uninstall?: boolean;
  readonly path?: string;
  readonly config?: string;
}

function readOptions(argv: readonly string[]): Options | string {
  try {
    const options = {
      uninstall: { type: "boolean" },
      path: { type: "string" },
      config: { type: "string" },
    } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values;
  } catch (failure) {
    return reasonOf(failure);
  }
}

/** ZM_PATH_BIN; null, with the reason said, when it cannot be known. */
function binFolder(configPath: string | undefined, io: CommandIo): string | null {
  const { config } = loadConfig({ path: configPath ?? null, env: io.env });
  const zoneminder = readZmConf(config.zoneminder.config);
  const folder = zoneminder.ok ? zoneminder.conf.values.get("ZM_PATH_BIN") : undefined;
  if (folder !== undefined && path.isAbsolute(folder)) return folder;
  const reason = zoneminder.ok ? `${config.zoneminder.config} names no ZM_PATH_BIN.` : zoneminder.problem;
  io.stderr.write(
    `zmes install-daemon: ${reason}\nName the folder of ZoneMinder's programs (where zmdc.pl lies) with --path.\n`,
  );
  return null;
}

function install(daemon: DaemonFile, io: CommandIo): void {
  const program = ourselves();
  const done = daemon.install(program);
  note(io, () => noteMade("daemon", daemon.file, io.env.ZMES_MADE_FILES ?? MADE_FILES));
  io.stdout.write(`${INSTALLED[done](daemon)} It starts ${program.main}.\n`);
  for (const file of [program.node, program.main]) {
    const closed = closedToOthers(file);
    if (closed === null) continue;
    io.stderr.write(
      `zmes install-daemon: ${closed} is closed to other users, so ZoneMinder's user may not be able to start ${file}.\n` +
        "Put zmes into /opt or /usr/lib, or open that folder: chmod o+x.\n",
    );
    break;
  }
  if (ENABLED_UNITS.some((unit) => existsSync(unit)))
    io.stderr.write(
      "zmes install-daemon: systemd starts zmes as well: sudo systemctl disable --now zmes.service\n",
    );
  io.stdout.write(
    "In ZoneMinder, turn on Options, System, OPT_USE_EVENTNOTIFICATION, then restart ZoneMinder. " +
      "Where it was on already: sudo -u www-data zmdc.pl restart zmeventnotification.pl\n",
  );
}

function uninstall(daemon: DaemonFile, io: CommandIo): void {
  const done = daemon.uninstall();
  note(io, () => forgetMade("daemon", daemon.file, io.env.ZMES_MADE_FILES ?? MADE_FILES));
  io.stdout.write(`${UNINSTALLED[done](daemon)}\n`);
}

const INSTALLED: Readonly<Record<Installed, (daemon: DaemonFile) => string>> = {
  installed: ({ file }) => `${file} is there now.`,
  replaced: ({ file, backup }) => `${file} is zmes now; the original is kept as ${backup}.`,
  renewed: ({ file }) => `${file} was zmes before and is written anew.`,
};

const UNINSTALLED: Readonly<Record<Uninstalled, (daemon: DaemonFile) => string>> = {
  restored: ({ file }) =>
    `${file} is the original again. Restart: sudo -u www-data zmdc.pl restart zmeventnotification.pl`,
  removed: ({ file }) => `${file} is gone; there was no original to put back.`,
  "not-ours": ({ file, backup }) =>
    `${file} is not of zmes and stays as it is.${existsSync(backup) ? ` The original from before zmes is still kept as ${backup}; delete it when it is not needed.` : ""}`,
  absent: ({ file }) => `There is no ${file}.`,
};

/** Where `systemctl enable` leaves its link. */
const ENABLED_UNITS = ["/etc/systemd/system/multi-user.target.wants/zmes.service"];

/** This very Node and this very program, so that neither PATH nor the folder decides. */
function ourselves(): DaemonProgram {
  return {
    node: realpathSync(process.execPath),
    main: realpathSync(fileURLToPath(ownProgram("../main", import.meta.url))),
  };
}

/** Without the list the package only does not know what to take away. */
function note(io: CommandIo, work: () => void): void {
  try {
    work();
  } catch (failure) {
    io.stderr.write(
      `zmes install-daemon: this could not be noted for the removal of the package: ${reasonOf(failure)}\n`,
    );
  }
}
