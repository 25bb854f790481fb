// Imports an installed original: for `zmes import` and for `zmes setup`, which offers it where one is found.

import { readZmConf } from "../../zoneminder/zm-conf.ts";
import { MADE_FILES } from "../made-files.ts";
import { findZmConf } from "../setup/found.ts";
import { findUser, type OwnedFiles, ownedFiles, type WebUser } from "../setup/owned-files.ts";
import { type Applied, applyImport } from "./apply.ts";
import { findPlaces } from "./places.ts";
import { type ImportPlan, planImport } from "./plan.ts";

export interface ImportOptions {
  /** "/" but for tests and disks that are mounted elsewhere. */
  readonly root: string;
  /** Files and folders to look at instead of the usual places. */
  readonly from: readonly string[];
  readonly force: boolean;
  /** Whether the built-in detector takes the place of the original's scripts; absent: they stay. */
  readonly detection?: boolean;
  /** Where what was written is noted for the removal of the package; absent: the usual list. */
  readonly madeFiles?: string | undefined;
  /** Who the server runs as; absent: ZM_WEB_USER. */
  readonly files?: OwnedFiles;
}

export interface Import {
  readonly plan: ImportPlan;
  /** Writes it. Never throws. */
  apply(): Promise<Applied>;
}

/** Null where there is no original. Until `apply` nothing is changed. */
export async function importOriginal(options: ImportOptions): Promise<Import | null> {
  const files = options.files ?? ownedFiles(await webUser(options.root), madeFilesIn(options));
  const { serverReads } = files;
  const { root, from, detection = false } = options;
  const plan = await planImport({ root, from, serverReads, detection });
  if (plan === null) return null;
  return { plan, apply: () => applyImport(plan, files, options.force) };
}

function madeFilesIn({ root, madeFiles }: ImportOptions): string {
  return madeFiles ?? findPlaces(root, []).inRoot(MADE_FILES);
}

/** ZoneMinder's web user, else the usual ones; where there is none, whoever runs this. */
async function webUser(root: string): Promise<WebUser> {
  const conf = findZmConf(root);
  const read = conf === null ? null : readZmConf(conf);
  const name = read?.ok ? read.conf.values.get("ZM_WEB_USER") : undefined;
  for (const candidate of name === undefined ? ["www-data", "apache"] : [name]) {
    const user = await findUser(candidate);
    if (user !== null) return user;
  }
  return { name: name ?? "root", uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}
