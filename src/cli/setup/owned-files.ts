// Writes files for the user that the server runs as, and notes each for the removal of the package.
import { execFile } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { readPlainFile } from "../../lib/plain-file.ts";
import { actAs } from "../../lib/privileges.ts";
import { noteMade } from "../made-files.ts";

/** Who the server runs as. */
export interface WebUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** root: only root reads it. group: root's, and the server may read it. world: everybody may. program: and run it. server: the server's own. */
type Owner = "root" | "group" | "world" | "program" | "server";

export interface OwnedFiles {
  /** Whether owners can be set, and files of other users tried. */
  readonly isRoot: boolean;
  readonly user: WebUser;
  /** Makes the folder and those above it; one that is there stays as it is. */
  folder(folder: string, owner: Owner): void;
  /** The whole text or nothing; never through a link. Throws the system's error. */
  write(file: string, text: string | Buffer, owner: Owner): void;
  /** The text of a file of the server's own, with its rights; null where it cannot be read or is no plain file. */
  readServers(file: string): string | null;
  /** Takes away a file of the server's own, if it is there. Throws the system's error. */
  removeServers(file: string): void;
  /** Whether the server may read it. */
  serverReads(file: string): Promise<boolean>;
}

const MODES: Readonly<Record<Owner, number>> = {
  root: 0o400,
  group: 0o640,
  world: 0o644,
  program: 0o755,
  server: 0o600,
};
const FOLDER_MODES: Readonly<Record<Owner, number>> = {
  root: 0o700,
  group: 0o755,
  world: 0o755,
  program: 0o755,
  server: 0o750,
};

/** `list`: where what was made is noted. */
export function ownedFiles(user: WebUser, list: string): OwnedFiles {
  const isRoot = process.getuid?.() === 0;
  const idsOf = (owner: Owner): readonly [number, number] => [
    owner === "server" ? user.uid : 0,
    owner === "server" || owner === "group" ? user.gid : 0,
  ];
  const note = (kind: "file" | "dir", file: string): void => {
    if (isRoot) noteMade(kind, file, list);
  };
  /** Where the server's user may put links, root works with this user's rights alone. */
  const asServer = <T>(file: string, work: () => T): T =>
    isOpenTo(user, path.dirname(path.resolve(file))) ? actAs(user, work) : work();
  return {
    isRoot,
    user,
    folder(folder, owner) {
      for (const made of missingFolders(folder)) {
        const make = (): void => makeFolder(made, FOLDER_MODES[owner]);
        if (owner === "server" && isOpenTo(user, path.dirname(made))) actAs(user, make);
        else {
          make();
          if (isRoot) lchownSync(made, ...idsOf(owner));
        }
        note("dir", made);
      }
    },
    write(file, text, owner) {
      const isNew = !existsSync(file);
      if (owner === "server") asServer(file, () => replace(file, text, MODES[owner], idsOf(owner)));
      else replace(file, text, MODES[owner], idsOf(owner));
      if (isNew) note("file", path.resolve(file));
    },
    readServers: (file) => (existsSync(file) ? asServer(file, () => textOf(file)) : null),
    removeServers: (file) => asServer(file, () => rmSync(file, { force: true })),
    serverReads: (file) => (isRoot ? readsAs(user.name, file) : Promise.resolve(reads(file))),
  };
}

function replace(
  file: string,
  text: string | Buffer,
  mode: number,
  [uid, gid]: readonly [number, number],
): void {
  const temporary = `${file}.zmes-new`;
  rmSync(temporary, { force: true });
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      if (process.geteuid?.() === 0) fchownSync(fd, uid, gid);
      fchmodSync(fd, mode);
      writeFileSync(fd, text);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (failure) {
    rmSync(temporary, { force: true });
    throw failure;
  }
}

function textOf(file: string): string | null {
  try {
    return readPlainFile(file);
  } catch {
    return null;
  }
}

/**
 * Whether the user can change what is below this folder: it, one above it, or one on the way of a link to it is his, or
 * he may write in it. In a folder like /tmp nobody can change what is another's.
 */
function isOpenTo(user: WebUser, folder: string): boolean {
  const stat = lstatSync(folder);
  const parent = path.dirname(folder);
  if (stat.isSymbolicLink())
    return isOpenTo(user, parent) || isOpenTo(user, path.resolve(parent, readlinkSync(folder)));
  if (stat.uid === user.uid) return true;
  const isShared = (stat.mode & OTHERS_WRITE) !== 0 && (stat.mode & STICKY) === 0;
  if (isShared && canMakeIn(folder, user)) return true;
  return parent !== folder && isOpenTo(user, parent);
}

const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;

/** Tried, since access(2) answers for root as long as the process began as root, and modes do not show lists of access. */
function canMakeIn(folder: string, user: WebUser): boolean {
  try {
    actAs(user, () => rmdirSync(mkdtempSync(path.join(folder, ".zmes-"))));
    return true;
  } catch {
    return false;
  }
}

/** Null when the folder, or the one it would be made in, can be written; else that folder. */
export function unwritable(folder: string): string | null {
  let at = path.resolve(folder);
  while (!existsSync(at) && at !== path.dirname(at)) at = path.dirname(at);
  try {
    accessSync(at, constants.W_OK | constants.X_OK);
    return null;
  } catch {
    return at;
  }
}

const run = promisify(execFile);
const RUN_MS = 5_000;

/** The user with that name, or null. */
export async function findUser(name: string): Promise<WebUser | null> {
  try {
    const [uid, gid] = await Promise.all(
      ["-u", "-g"].map((flag) => run("id", [flag, "--", name], { timeout: RUN_MS })),
    );
    return { name, uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    return null;
  }
}

/** With all of that user's groups, which setuid(2) alone would not give. */
async function readsAs(user: string, file: string): Promise<boolean> {
  try {
    await run("runuser", ["-u", user, "--", "test", "-r", file], { timeout: RUN_MS, cwd: "/" });
    return true;
  } catch {
    return false;
  }
}

function reads(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whatever the umask is. */
function makeFolder(folder: string, mode: number): void {
  const umask = process.umask(0);
  try {
    mkdirSync(folder, { mode });
  } finally {
    process.umask(umask);
  }
}

/** Outermost first. */
function missingFolders(folder: string): readonly string[] {
  const missing: string[] = [];
  for (
    let at = path.resolve(folder);
    lstatSync(at, { throwIfNoEntry: false }) === undefined;
    at = path.dirname(at)
  )
    missing.unshift(at);
  return missing;
}
