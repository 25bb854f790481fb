// Takes up the next of the certificates that were made ahead, shortly before the one in use ends.
import { X509Certificate } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { reasonOf, systemCode } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";

/**
 * The folder beside the certificate in which `zmes setup` leaves those that follow it, one PEM file each. The key of the
 * authority that signs them is for root alone, so the server could not make one when it is needed.
 */
export const NEXT_FOLDER = "next";

const DAY_MS = 24 * 3_600_000;
/** Before the reminder that a certificate runs out (30 days, tls.ts), and well within the time both are valid. */
const TAKE_UP_MS = 35 * DAY_MS;
/** Phones that remember the certificate itself (zmNinjaNg on Android) ask when it changes: people should expect it. */
const WARN_MS = 14 * DAY_MS;

/**
 * Looks once; `now` in ms since 1970. True when the certificate's file was replaced: whoever watches the file takes it
 * up. The key stays, so whoever remembers the key notices nothing. Never throws: what is wrong is in the log.
 */
export async function takeUpNext(file: string, now: number, logger: Logger): Promise<boolean> {
  try {
    const next = await nextOf(file, now, logger);
    if (next === null) return false;
    const left = new X509Certificate(await readFile(file)).validToDate.getTime() - now;
    if (left > TAKE_UP_MS + WARN_MS) return false;
    if (left > TAKE_UP_MS) {
      const day = new Date(now + left - TAKE_UP_MS).toISOString().slice(0, 10);
      logger.warn(
        `The certificate ${file} is followed by the next one on ${day}. Phones that know the authority notice nothing; ` +
          `one that remembers the certificate itself asks again: its SHA-256 fingerprint is then ${next.certificate.fingerprint256}`,
      );
      return false;
    }
    if (next.certificate.validFromDate.getTime() > now) return false;
    await replace(file, next.text);
    await rm(next.file, { force: true });
    logger.info(`The certificate ${file} was about to end and is followed by the next one`);
    return true;
  } catch (failure) {
    logger.warn(`The next certificate could not be taken up: ${reasonOf(failure)}`);
    return false;
  }
}

interface Next {
  readonly file: string;
  readonly text: Buffer;
  readonly certificate: X509Certificate;
}

/** The one that begins first among those that outlive the certificate in use; null where there is none. */
async function nextOf(file: string, now: number, logger: Logger): Promise<Next | null> {
  const folder = path.join(path.dirname(file), NEXT_FOLDER);
  const names = (await filesIn(folder)).filter((name) => name.endsWith(".pem"));
  if (names.length === 0) return null;
  const current = new X509Certificate(await readFile(file));
  const read = await Promise.all(names.map((name) => readNext(path.join(folder, name), logger)));
  const found = read.filter((next) => next !== null);
  const isNext = ({ certificate }: Next) =>
    certificate.validToDate > current.validToDate &&
    certificate.validToDate.getTime() > now &&
    certificate.publicKey.equals(current.publicKey);
  const [first] = found
    .filter(isNext)
    .toSorted((a, b) => a.certificate.validFromDate.getTime() - b.certificate.validFromDate.getTime());
  return first ?? null;
}

/** One that is damaged does not keep the others from their turn. */
async function readNext(file: string, logger: Logger): Promise<Next | null> {
  try {
    const text = await readFile(file);
    return { file, text, certificate: new X509Certificate(text) };
  } catch (failure) {
    logger.warn(`${file}, one of the certificates made ahead, cannot be used: ${reasonOf(failure)}`);
    return null;
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (failure) {
    if (systemCode(failure) === "ENOENT" || systemCode(failure) === "ENOTDIR") return [];
    throw failure;
  }
}

async function replace(file: string, text: Buffer): Promise<void> {
  const temporary = `${file}.new`;
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { mode: 0o640, flag: "wx" });
  await rename(temporary, file);
}
