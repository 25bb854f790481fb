// The file that ZoneMinder's zmdc.pl executes, zmeventnotification.pl: put in place of an original, and taken away again.
import {
  chmodSync,
  constants,
  linkSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { AppError, reasonOf, systemCode } from "../lib/errors.ts";

/** What the file starts: both absolute. */
export interface DaemonProgram {
  readonly node: string;
  readonly main: string;
}

/** zmdc.pl executes exactly this name in ZM_PATH_BIN (ZoneMinder 1.32 to 1.39). */
const NAME = "zmeventnotification.pl";
const BACKUP_SUFFIX = ".zmes-original";
/** Tells our file from the original. */
const MARK = "# zmes: ";

export type Installed = "installed" | "replaced" | "renewed";
export type Uninstalled = "restored" | "removed" | "not-ours" | "absent";

export interface DaemonFile {
  readonly file: string;
  /** Where an original waits for `uninstall`. */
  readonly backup: string;
  /**
   * Writes the file. An original is kept beside it, never twice: a different one already kept is an error, as is
   * a folder that cannot be written.
   */
  install(program: DaemonProgram): Installed;
  /** Puts the original back, or leaves nothing. A file that is not ours is left alone. */
  uninstall(): Uninstalled;
}

/** The daemon's file in this folder, usually ZM_PATH_BIN. Nothing happens before one of its functions is called. */
export function daemonFile(folder: string): DaemonFile {
  const file = path.join(folder, NAME);
  const backup = `${file}${BACKUP_SUFFIX}`;
  return {
    file,
    backup,
    install: (program) => orUnwritable(file, () => install(file, backup, program)),
    uninstall: () => orUnwritable(file, () => uninstall(file, backup)),
  };
}

/**
 * The text of the file. A shell's `exec` leaves one process, with the pid that zmdc.pl knows. It says nothing on the
 * standard streams: 0 may be a database connection, 2 a dead pipe (zmdc.pl up to 1.38.1). Node itself lifts the
 * blocked SIGCHLD; title and streams are settled by `zmes run`.
 */
function daemonScript({ node, main }: DaemonProgram): string {
  return `#!/bin/sh
${MARK}ZoneMinder starts the notification server with this file. \`zmes install-daemon --uninstall\` takes it away.
node=${quoted(node)}
main=${quoted(main)}
if [ -x "$node" ] && [ -r "$main" ]; then
  exec "$node" "$main" "$@"
fi
logger -t zmeventnotification -p local1.err "$node or $main is missing, or not readable by the user $(id -un)" \\
  </dev/null >/dev/null 2>&1
exit 1
`;
}

function install(file: string, backup: string, program: DaemonProgram): Installed {
  const before = kindOf(file);
  if (before === "foreign") keepOriginal(file, backup);
  const temporary = `${file}.zmes-new`;
  rmSync(temporary, { force: true });
  try {
    writeFileSync(temporary, daemonScript(program), { flag: "wx" });
    // Whatever root's umask is: ZoneMinder's user executes it.
    chmodSync(temporary, 0o755);
    renameSync(temporary, file);
  } catch (failure) {
    rmSync(temporary, { force: true });
    throw failure;
  }
  return before === "foreign" ? "replaced" : before === "ours" ? "renewed" : "installed";
}

function uninstall(file: string, backup: string): Uninstalled {
  const kind = kindOf(file);
  if (kind === "foreign") return "not-ours";
  if (exists(backup)) {
    renameSync(backup, file);
    return "restored";
  }
  if (kind === "absent") return "absent";
  rmSync(file);
  return "removed";
}

/** A second name, so that at no moment there is no file. */
function keepOriginal(file: string, backup: string): void {
  if (!exists(backup)) linkSync(file, backup);
  else if (!readFileSync(file).equals(readFileSync(backup)))
    throw new AppError("DAEMON_BACKUP_DIFFERS", { file, backup });
}

/** What lies there; a link is foreign wherever it leads. Throws the system's error when it cannot be read. */
export function kindOf(file: string): "absent" | "ours" | "foreign" {
  if (!exists(file)) return "absent";
  // A link is the work of somebody else, wherever it leads.
  if (!lstatSync(file).isFile()) return "foreign";
  return readFileSync(file, "latin1").startsWith(`#!/bin/sh\n${MARK}`) ? "ours" : "foreign";
}

/** Also true for a link that leads nowhere. */
function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function orUnwritable<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (failure) {
    if (failure instanceof AppError || systemCode(failure) === null) throw failure;
    throw new AppError("DAEMON_UNWRITABLE", { file, problem: reasonOf(failure) }, failure);
  }
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The first folder or file on the way to `file` that is closed to users like the web server's; null when the way is
 * open. People keep checkouts in /root.
 */
export function closedToOthers(file: string): string | null {
  for (let at = file; ; at = path.dirname(at)) {
    const isFile = at === file;
    const needed = isFile ? constants.S_IROTH : constants.S_IXOTH;
    if ((statSync(at).mode & needed) === 0) return at;
    if (at === path.dirname(at)) return null;
  }
}
