// Writes what an import planned. Every original stays as it is.
import { existsSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { readTextFile } from "../../config/config-file.ts";
import { reasonOf } from "../../lib/errors.ts";
import { setAside } from "../../store/json-file.ts";
import { readAsServer } from "../read-as-server.ts";
import type { OwnedFiles } from "../setup/owned-files.ts";
import { type ImportPlan, SECRETS_TARGET, TARGET } from "./plan.ts";
import { hasPhones } from "./tokens.ts";

export type Applied =
  | { readonly ok: true; readonly written: readonly string[]; readonly backups: readonly string[] }
  /** A sentence with its way out. */
  | { readonly ok: false; readonly problem: string };

/** `force`: files that are there already are copied aside and replaced; otherwise nothing is written at all. */
export async function applyImport(plan: ImportPlan, files: OwnedFiles, force: boolean): Promise<Applied> {
  const { places } = plan;
  const config = places.inRoot(TARGET);
  const secrets = places.inRoot(SECRETS_TARGET);
  const texts = new Map([
    ...(plan.secrets === null ? [] : [[secrets, plan.secrets] as const]),
    [config, plan.config],
  ]);
  // What stands there as it would be written is left: of an import that was cut short, or done twice.
  const targets = [...texts].filter(([file, text]) => !holds(file, text)).map(([file]) => file);
  const there = targets.filter((file) => existsSync(file));
  if (there.length > 0 && !force) {
    const problem = `${there.join(" and ")} is there already. With --force it is copied aside and written anew.`;
    return { ok: false, problem };
  }
  const written: string[] = [];
  const backups = new Map<string, string>();
  try {
    for (const file of there) backups.set(file, await setAside(file, "before-import"));
    files.folder(path.dirname(config), "group");
    written.push(...(await copyPhones(plan, files)));
    // The configuration comes last: without it nothing of the others counts.
    for (const file of targets) files.write(file, texts.get(file) ?? "", "group");
    return { ok: true, written: [...written, ...targets], backups: [...backups.values()] };
  } catch (failure) {
    for (const file of written) files.removeServers(file);
    for (const file of targets) undo(file, { backup: backups.get(file), isNew: !there.includes(file) });
    const way = files.isRoot ? "" : " Run it as root: sudo zmes import --apply.";
    return { ok: false, problem: `This could not be written: ${reasonOf(failure)}.${way}` };
  }
}

function holds(file: string, text: string): boolean {
  const content = readTextFile(file);
  return content.ok && content.text === text;
}

/** What half an import leaves is worse than none: a new file of secrets beside the old configuration. */
function undo(
  file: string,
  { backup, isNew }: { readonly backup: string | undefined; readonly isNew: boolean },
): void {
  try {
    if (backup !== undefined) renameSync(backup, file);
    else if (isNew) rmSync(file, { force: true });
  } catch {
    // The reason that is told already is the same.
  }
}

/** The file that was written, if any: phones may have registered meanwhile. Throws when they cannot be copied. */
async function copyPhones({ copyTokens, places }: ImportPlan, files: OwnedFiles): Promise<readonly string[]> {
  if (copyTokens === null) return [];
  const { from } = copyTokens;
  const to = places.inRoot(copyTokens.to);
  if (hasPhones(to)) return [];
  // In its usual places the file is the server's user's; one that somebody named is that person's.
  const read = places.namedTokens.includes(from)
    ? readTextFile(from)
    : await readAsServer(from, files.user.name);
  if (!read.ok) throw new Error(`${from}: ${read.why}; name the file with --from if it is the right one`);
  files.folder(path.dirname(to), "server");
  files.write(to, read.text, "server");
  return [to];
}
