// What the server writes: the data directory, the file of phones, and room on the disk.
import { existsSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import path from "node:path";
import { shellWord } from "../../lib/command-line.ts";
import { readText } from "../../store/json-file.ts";
import { parseTokenFile } from "../../store/token-file.ts";
import { isSystemFolder } from "../system-folders.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./check.ts";
import { mayAccess } from "./system.ts";

export const dataDirectory: Check = {
  name: "data-directory",
  title: "Data directory",
  async run({ config, user, webUser }) {
    const folder = config.general.base_data_path;
    const make = `sudo install -d -o ${webUser} -g ${webUser} -m 750 ${shellWord(folder)}`;
    if (!existsSync(folder)) return [problem(`${folder} does not exist`, `Make it: ${make}`)];
    if (!statSync(folder).isDirectory())
      return [problem(`${folder} is not a folder`, "Name another one in general.base_data_path.")];
    const closed = FILES.map((name) => path.join(folder, name)).find(
      (file) => existsSync(file) && !mayAccess(file, "write"),
    );
    if (!mayAccess(folder, "write") || closed !== undefined)
      return [
        problem(
          `${user} may not write ${closed ?? folder}`,
          isSystemFolder(folder)
            ? "Name a folder of its own in general.base_data_path."
            : `Give it to the server's user: sudo chown -hR ${webUser}: ${shellWord(folder)}`,
        ),
      ];
    return [ok(`${folder} can be written`)];
  },
};

/** Started once as root by mistake, these are the files that shut everybody else out. */
const FILES = ["zmes.db", "zmes.db-wal", "zmes.lock", "escontrol.json"];

export const tokenFile: Check = {
  name: "token-file",
  title: "Phones",
  async run({ config, user, webUser }) {
    const file = config.fcm.token_file;
    if (!existsSync(file)) return [await absent(file, user, webUser)];
    if (!mayAccess(file, "read") || !mayAccess(file, "write"))
      return [
        problem(
          `${user} may not read and write ${file}, so no phone can register`,
          // -h: never what a link in that folder leads to.
          `Give it to the server's user: sudo chown -h ${webUser}: ${shellWord(file)}`,
        ),
      ];
    const parsed = parseTokenFile((await readText(file))?.text ?? "");
    if (parsed.format === "damaged")
      return [
        problem(
          `${file} is damaged: ${parsed.problem}`,
          `Put the copy back: sudo -u ${webUser} cp -p ${shellWord(`${file}.bak`)} ${shellWord(file)}, or move the file away; phones register again by themselves.`,
        ),
      ];
    return [ok(`${file} has ${parsed.entries.size} phones`)];
  },
};

async function absent(file: string, user: string, webUser: string): Promise<Finding> {
  let folder = path.dirname(file);
  while (!existsSync(folder)) folder = path.dirname(folder);
  if (mayAccess(folder, "write")) return ok(`No phone has registered yet (${file})`);
  const wanted = path.dirname(file);
  return problem(
    `${user} may not make ${file}, so no phone can register`,
    `Make its folder: sudo install -d -o ${webUser} -g ${webUser} -m 750 ${shellWord(wanted)}`,
  );
}

export const disk: Check = {
  name: "disk",
  title: "Disk",
  async run({ config }) {
    const folder = config.general.base_data_path;
    if (!existsSync(folder)) return [skipped(`${folder} does not exist`)];
    const { bavail, bsize } = await statfs(folder);
    return [room(bavail * bsize, folder)];
  },
};

/** The history of a busy site grows some megabytes a day. */
const LITTLE_BYTES = 200 * 1024 * 1024;
/** Below this SQLite itself soon fails. */
const NONE_BYTES = 5 * 1024 * 1024;

export function room(free: number, folder: string): Finding {
  const mib = Math.floor(free / 1024 / 1024);
  const words = `${mib >= 10_240 ? `${Math.floor(mib / 1024)} GiB` : `${mib} MiB`} free at ${folder}`;
  const fix =
    "Make room: lower ZoneMinder's filter PurgeWhenFull, or set general.base_data_path to another disk.";
  if (free < NONE_BYTES) return problem(`${words}: what was not told yet is lost with the next crash`, fix);
  return free < LITTLE_BYTES ? warning(words, fix) : ok(words);
}
