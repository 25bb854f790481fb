// Gives up root's rights for those of the user that owns the program's files.
import { existsSync, readFileSync } from "node:fs";
import { AppError, reasonOf } from "./errors.ts";

/** Files of the program are for its user and group; never for the world. */
const UMASK = 0o027;
/** The web server's user, on Debian and on Red Hat; used when nothing else is said. */
const USUAL_USERS = ["www-data", "apache"] as const;

/**
 * As root: becomes the user and its groups, for good, and returns its name. Otherwise changes nothing but the
 * umask and returns null. Must be called before any file is opened. Without a user: www-data, or apache where
 * only that exists; without a group: the one named like the user.
 */
export function becomeUser(user?: string, group?: string): string | null {
  process.umask(UMASK);
  if (process.getuid?.() !== 0) return null;
  const toUser = user || usualUser();
  const toGroup = group || toUser;
  try {
    withInitgroups.initgroups(toUser, toGroup);
    process.setgid?.(toGroup);
    process.setuid?.(toUser);
  } catch (failure) {
    throw new AppError(
      "PRIVILEGES_FAILED",
      { user: toUser, group: toGroup, problem: reasonOf(failure) },
      failure,
    );
  }
  return toUser;
}

interface Somebody {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * As root: does `work` with the rights and groups of that user, then is root again, so that whatever this user has put
 * where the work is done leads no further than he himself comes. Otherwise just does it. `work` must not wait for
 * anything: the rights are those of the whole process. Throws what `work` throws, or the system's error.
 */
export function actAs<T>({ name, uid, gid }: Somebody, work: () => T): T {
  if (process.geteuid?.() !== 0 || uid === 0) return work();
  const [groups, group] = [process.getgroups?.() ?? [], process.getegid?.() ?? 0];
  try {
    withInitgroups.initgroups(name, gid);
    process.setegid?.(gid);
    process.seteuid?.(uid);
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(group);
    process.setgroups?.(groups);
  }
}

/** Part of Node since 0.9.4; its type declarations leave it out. */
const withInitgroups = process as typeof process & { initgroups(user: string, group: string | number): void };

/** The web server's user where nothing else is said: www-data, or apache where only that exists. */
export function usualUser(): string {
  const known = existsSync("/etc/passwd") ? readFileSync("/etc/passwd", "utf8") : "";
  return USUAL_USERS.find((name) => new RegExp(`^${name}:`, "m").test(known)) ?? USUAL_USERS[0];
}
