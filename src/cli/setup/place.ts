// Where setup works: ZoneMinder's configuration, our own, the data directory, and the user that the server runs as.
import { existsSync } from "node:fs";
import path from "node:path";
import { loadConfig, SEARCH_PATH } from "../../config/load.ts";
import { AppError } from "../../lib/errors.ts";
import { readZmConf } from "../../zoneminder/zm-conf.ts";
import type { CommandIo } from "../command.ts";
import { hasSystemd } from "../doctor/subject.ts";
import { MADE_FILES } from "../made-files.ts";
import { isSystemFolder } from "../system-folders.ts";
import { findZmConf } from "./found.ts";
import type { SetupOptions } from "./options.ts";
import { findUser, type OwnedFiles, ownedFiles, unwritable, type WebUser } from "./owned-files.ts";

/** What does not depend on answers. */
export interface Place {
  readonly target: string;
  readonly data: string;
  readonly zmConf: string | null;
  readonly files: OwnedFiles;
  readonly root: string;
}

/** Where the configuration need not say so. */
export const USUAL_ZM_CONF = "/etc/zm/zm.conf";
export const USUAL_DATA = "/var/lib/zmeventnotification";
const USUAL_USERS = ["www-data", "apache"] as const;

/** Throws SETUP_UNWRITABLE, and PRIVILEGES_FAILED where ZoneMinder's user does not exist. */
export async function lookAround(options: SetupOptions, root: string, io: CommandIo): Promise<Place> {
  const target = path.resolve(options.config ?? SEARCH_PATH[0] ?? "zmes.yml");
  const before = existsSync(target) ? loadConfig({ path: target }).config : null;
  const zmConf = options.zmConf ?? before?.zoneminder.config ?? findZmConf(root);
  const read = readZmConf(zmConf ?? USUAL_ZM_CONF);
  if (read.ok) io.stdout.write(`ZoneMinder is configured in ${read.conf.files.join(", ")}.\n`);
  else
    io.stdout.write(
      `${read.problem}\nThe server cannot start before that; the rest is set up all the same.\n`,
    );
  const user = await webUser(read.ok ? read.conf.values.get("ZM_WEB_USER") : undefined);
  const files = ownedFiles(user, io.env.ZMES_MADE_FILES ?? MADE_FILES);
  const data = path.resolve(options.data ?? before?.general.base_data_path ?? USUAL_DATA);
  // It may come from an original's file, which often is the web server's own.
  if (files.isRoot && isSystemFolder(data))
    throw new AppError("SETUP_UNWRITABLE", {
      path: data,
      problem:
        "as a folder of the system it must not be the server's; general.base_data_path or --data names it",
    });
  for (const folder of [path.dirname(target), data]) {
    const closed = unwritable(folder);
    if (closed !== null)
      throw new AppError("SETUP_UNWRITABLE", {
        path: closed,
        problem: `${process.getuid?.() === 0 ? "not even root" : "only root"} may`,
      });
  }
  if (!files.isRoot)
    io.stdout.write(
      `Not run as root: all files will belong to this user, so the server has to be started by it. What only root can do is left out: giving files to ${USUAL_USERS[0]}, and reading keys that are root's.\n`,
    );
  return { target, data, zmConf, files, root };
}

/** What making a certificate needs of it. */
export function jobOf({ target, data, files, root }: Place, io: CommandIo) {
  return {
    files,
    root,
    configFolder: path.dirname(target),
    dataDirectory: data,
    hasSystemd: hasSystemd(),
    now: io.clock.now(),
  };
}

/** Who the server runs as: ZoneMinder's web user, or whoever sets it up without being root. */
async function webUser(named: string | undefined): Promise<WebUser> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (uid !== 0) return { name: String(uid), uid, gid };
  for (const name of [named, ...USUAL_USERS]) {
    const user = name === undefined || name === "" ? null : await findUser(name);
    if (user !== null) return user;
  }
  throw new AppError("PRIVILEGES_FAILED", {
    user: named ?? USUAL_USERS[0],
    group: named ?? USUAL_USERS[0],
    problem: "there is no such user",
  });
}
