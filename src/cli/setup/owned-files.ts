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
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
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
  return {
    isRoot,
    user,
    folder(folder, owner) {
      const missing = missingFolders(folder);
      for (const made of missing) {
        makeFolder(made, FOLDER_MODES[owner]);
        // The folder above may be the server's, who could put a link there in this moment: never through one.
        if (isRoot) lchownSync(made, ...idsOf(owner));
        note("dir", made);
      }
    },
    write(file, text, owner) {
      const isNew = !existsSync(file);
      const temporary = `${file}.zmes-new`;
      rmSync(temporary, { force: true });
      try {
        const fd = openSync(temporary, "wx", 0o600);
        try {
          if (isRoot) fchownSync(fd, ...idsOf(owner));
          fchmodSync(fd, MODES[owner]);
          writeFileSync(fd, text);
        } finally {
          closeSync(fd);
        }
        renameSync(temporary, file);
      } catch (failure) {
        rmSync(temporary, { force: true });
        throw failure;
      }
      if (isNew) note("file", path.resolve(file));
    },
    serverReads: (file) => (isRoot ? readsAs(user.name, file) : Promise.resolve(reads(file))),
  };
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
