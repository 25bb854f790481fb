// Brings the certificate about that was decided on: makes one, or lets the server read one that is there.
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { AppError, reasonOf } from "../../lib/errors.ts";
import { NEXT_FOLDER } from "../../server/next-certificate.ts";
import { alternativeNames, parseChain } from "../certificate-facts.ts";
import { isKeyOf, issueCertificates, makeAuthority, newKey } from "./authority.ts";
import { isWord } from "./names.ts";
import type { OwnedFiles } from "./owned-files.ts";
import type { CertificatePlan } from "./plan.ts";

export interface CertificateJob {
  readonly names: readonly string[];
  readonly files: OwnedFiles;
  /** Where the authority's files are. */
  readonly configFolder: string;
  readonly dataDirectory: string;
  /** Makes new ones although those that are there still hold. */
  readonly renew: boolean;
  /** Keeps neither the authority nor the key: somebody may have copied the key. */
  readonly anew: boolean;
  readonly hasSystemd: boolean;
  /** "/", or another one in tests. */
  readonly root: string;
  readonly now: number;
}

export interface Certified {
  /** What the configuration names; null without TLS. */
  readonly ssl: { readonly cert: string; readonly key: string } | null;
  /** What phones have to be told to trust; null where there is nothing to tell. */
  readonly authority: AuthorityFile | null;
  /** Of the server's own certificate; null where it cannot be known. */
  readonly fingerprint: string | null;
  /** What the person should know, a sentence each. */
  readonly notes: readonly string[];
}

interface AuthorityFile {
  readonly file: string;
  /** SHA-256, "AB:CD:...". */
  readonly fingerprint: string;
  readonly isNew: boolean;
}

/** Throws an AppError: CERTIFICATE_NOT_MADE, SETUP_UNWRITABLE. */
export async function provideCertificate(plan: CertificatePlan, job: CertificateJob): Promise<Certified> {
  switch (plan.kind) {
    case "own":
      return await makeOwn(job);
    case "found":
      return await takeFound(plan, job);
    case "none":
      return { ssl: null, authority: null, fingerprint: null, notes: [] };
  }
}

/** Where setup puts what it makes. */
export function ownPaths(configFolder: string, dataDirectory: string) {
  const folder = path.join(dataDirectory, "tls");
  return {
    authority: path.join(configFolder, "zmes-ca.crt"),
    authorityKey: path.join(configFolder, "zmes-ca.key"),
    folder,
    cert: path.join(folder, "server.pem"),
    key: path.join(folder, "server.key"),
    next: path.join(folder, NEXT_FOLDER),
  } as const;
}

/** One with less left than this is made anew with the next setup. */
const LEFT_MS = 60 * 24 * 3_600_000;

async function makeOwn(job: CertificateJob): Promise<Certified> {
  const { files, names, now } = job;
  const paths = ownPaths(job.configFolder, job.dataDirectory);
  for (const folder of [paths.folder, paths.next]) {
    files.folder(folder, "server");
    refuseLink(folder);
  }
  const kept = job.renew || job.anew ? null : stillGood(paths, job);
  if (kept !== null) return kept;
  // The key stays, and with it whatever phones remember of it.
  const keyBefore = job.anew ? null : files.readServers(paths.key);
  const key = keyBefore?.includes("PRIVATE KEY") ? keyBefore : newKey();
  const before = job.anew ? null : readAuthority(paths, job);
  const issued = before === null ? null : await issueCertificates(before, { names, key, now });
  const isNew = issued === null || issued.length === 0;
  const authority = isNew || before === null ? await makeAuthority(names, now) : before;
  const chain = isNew ? await issueCertificates(authority, { names, key, now }) : issued;
  const [first, ...next] = chain ?? [];
  if (first === undefined)
    throw new AppError("CERTIFICATE_NOT_MADE", { problem: "openssl refused the names" });
  const notes = isNew && existsSync(paths.authority) ? [setAside(paths, job)] : [];
  const words = names.filter((name) => isWord(name) && name !== "localhost");
  if (isNew && words.length > 0) notes.push(warnOfWords(words));
  if (isNew) {
    files.write(paths.authorityKey, authority.key, "root");
    files.write(paths.authority, authority.certificate, "world");
  }
  files.write(paths.key, key, "server");
  files.write(paths.cert, first, "server");
  for (const name of namesIn(paths.next)) files.removeServers(path.join(paths.next, name));
  for (const [index, text] of next.entries())
    files.write(path.join(paths.next, `${index + 2}.pem`), text, "server");
  return certified(paths, { chain: first, isNew, notes });
}

type OwnPaths = ReturnType<typeof ownPaths>;

interface Made {
  /** PEM, the server's own certificate first. */
  readonly chain: string;
  readonly isNew: boolean;
  readonly notes: readonly string[];
}

function certified(paths: OwnPaths, { chain, isNew, notes }: Made): Certified {
  return {
    ssl: { cert: paths.cert, key: paths.key },
    authority: { file: paths.authority, fingerprint: fingerprintOf(paths.authority), isNew },
    fingerprint: new X509Certificate(chain).fingerprint256,
    notes,
  };
}

/** Made by an earlier setup for the same names, in force and with time left. */
function stillGood(paths: OwnPaths, { names, files, now }: CertificateJob): Certified | null {
  try {
    const [own, authority] = parseChain(files.readServers(paths.cert) ?? "");
    if (own === undefined || authority === undefined) return null;
    const isSame =
      alternativeNames(own).toSorted().join() === names.toSorted().join() &&
      authority.fingerprint256 === fingerprintOf(paths.authority) &&
      isKeyOf(own.toString(), files.readServers(paths.key) ?? "") &&
      // A clock that was ahead when it was made.
      [own, authority].every(({ validFromDate }) => validFromDate.getTime() <= now) &&
      own.validToDate.getTime() - now > LEFT_MS;
    return isSame ? certified(paths, { chain: own.toString(), isNew: false, notes: [] }) : null;
  } catch {
    return null;
  }
}

/** Null unless it is root's own, as it was made: what somebody else put there must not be shown to phones as ours. */
function readAuthority({ authority, authorityKey }: OwnPaths, { files, now }: CertificateJob) {
  try {
    const isOwn = [authority, authorityKey].every((file) => {
      const { uid } = lstatSync(file);
      return lstatSync(file).isFile() && (!files.isRoot || uid === 0);
    });
    if (!isOwn) return null;
    const [certificate, key] = [readFileSync(authority, "utf8"), readFileSync(authorityKey, "utf8")];
    const isInForce = new X509Certificate(certificate).validFromDate.getTime() <= now;
    return isInForce && isKeyOf(certificate, key) ? { certificate, key } : null;
  } catch {
    return null;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".pem"));
  } catch {
    return [];
  }
}

/** RFC 5280, 4.2.1.10: whoever may sign for a name may sign for all that end in it. */
function warnOfWords(words: readonly string[]): string {
  const ends = words.map((word) => `.${word}`).join(", ");
  return `The authority may sign for every name that ends in ${ends} as well: names with a dot leave it less to sign for.`;
}

/** Phones may still trust it, and somebody may want to compare. */
function setAside({ authority }: OwnPaths, { files, now, anew }: CertificateJob): string {
  const aside = `${authority}.until-${new Date(now).toISOString().slice(0, 10)}`;
  files.write(aside, readFileSync(authority), "world");
  if (anew)
    return `The authority before is kept as ${aside}. Take it off each phone: whoever has the key before can pose as this server for phones that still trust it.`;
  return `The authority before could not sign for these names; it is kept as ${aside}, and each phone has to be given the new one.`;
}

/** Root writes there, and the folder is another user's. */
function refuseLink(folder: string): void {
  if (!lstatSync(folder).isSymbolicLink()) return;
  throw new AppError("SETUP_UNWRITABLE", { path: folder, problem: "it is a link" });
}

async function takeFound(
  { cert, key, isPublic }: CertificatePlan & { kind: "found" },
  job: CertificateJob,
): Promise<Certified> {
  const fingerprint = existsSync(cert) ? fingerprintOf(cert) : null;
  const given = (ssl: Certified["ssl"], ...notes: readonly string[]): Certified => {
    const trust = isPublic
      ? []
      : ["Phones that do not know the issuer of this certificate ask whether to trust it."];
    return { ssl, authority: null, fingerprint, notes: [...notes, ...trust] };
  };
  const readable = await Promise.all([cert, key].map(job.files.serverReads));
  if (readable.every(Boolean)) return given({ cert, key });
  if (!job.files.isRoot)
    return given({ cert, key }, `This user may not read ${key}: start the server as a user who may.`);
  if (cert.startsWith(path.join(job.root, "/etc/letsencrypt/live/")))
    return given(...(await copyOnRenewal(cert, job)));
  if (job.hasSystemd) return given(...(await handOver(cert, key, job)));
  const group = `sudo chgrp ${job.files.user.name} ${key} && sudo chmod 640 ${key}`;
  return given({ cert, key }, `${job.files.user.name} may not read ${key} yet: ${group}`);
}

const run = promisify(execFile);
const RUN_MS = 20_000;

/** Certbot runs this after each renewal, as root: its own files stay root's alone, and the server takes up the copy at once. */
async function copyOnRenewal(
  cert: string,
  { files, dataDirectory, configFolder, root }: CertificateJob,
): Promise<[Certified["ssl"], string]> {
  const paths = ownPaths(configFolder, dataDirectory);
  files.folder(paths.folder, "server");
  refuseLink(paths.folder);
  const live = path.dirname(cert);
  const hook = path.join(root, "/etc/letsencrypt/renewal-hooks/deploy/zmes");
  files.folder(path.dirname(hook), "world");
  files.write(
    hook,
    `#!/bin/sh
# zmes, the notification server for ZoneMinder, is given a copy of its certificate after each renewal.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
live=${quoted(live)}
if [ "\${RENEWED_LINEAGE:-$live}" != "$live" ]; then exit 0; fi
# Written with the rights of the server's user: its folder may lead anywhere.
give() {
  runuser -u ${quoted(files.user.name)} -- sh -c 'umask 077; cat >"$1.new" && mv -fT -- "$1.new" "$1"' sh "$2" <"$1"
}
give "$live/privkey.pem" ${quoted(paths.key)}
give "$live/fullchain.pem" ${quoted(paths.cert)}
`,
    "program",
  );
  try {
    await run(hook, [], { timeout: RUN_MS, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
  } catch (failure) {
    throw new AppError("SETUP_UNWRITABLE", { path: paths.folder, problem: reasonOf(failure) }, failure);
  }
  const note = `Let's Encrypt's own files stay readable by root alone: ${hook} copies them to ${paths.folder} now and after each renewal.`;
  return [{ cert: paths.cert, key: paths.key }, note];
}

/** systemd reads the files as root and shows them to this service alone (systemd.exec(5), LoadCredential=). */
async function handOver(
  cert: string,
  key: string,
  { files, root }: CertificateJob,
): Promise<[Certified["ssl"], string]> {
  const dropIn = path.join(root, "/etc/systemd/system/zmes.service.d/20-certificate.conf");
  files.folder(path.dirname(dropIn), "world");
  files.write(
    dropIn,
    `# zmes setup: the server's user may not read these files; systemd hands them over at each start.\n[Service]\nLoadCredential=cert.pem:${cert}\nLoadCredential=key.pem:${key}\n`,
    "world",
  );
  await run("systemctl", ["daemon-reload"], { timeout: RUN_MS }).catch(() => undefined);
  const folder = "/run/credentials/zmes.service";
  const note = `${key} stays readable by whom it was: systemd hands both files to zmes.service at each start (${dropIn}). After a renewal: sudo systemctl restart zmes`;
  return [{ cert: `${folder}/cert.pem`, key: `${folder}/key.pem` }, note];
}

function fingerprintOf(file: string): string {
  return new X509Certificate(readFileSync(file)).fingerprint256;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
