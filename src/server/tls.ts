// The certificate and key of the port: read, checked, and read again when their files change.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createSecureContext } from "node:tls";
import type { Clock } from "../lib/clock.ts";
import { AppError, reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { watchFolder } from "../lib/watch-folder.ts";
import { takeUpNext } from "./next-certificate.ts";

export interface TlsOptions {
  readonly enable: boolean;
  /** null: not set. */
  readonly cert?: string | null;
  readonly key?: string | null;
}

/** What node:https and node:tls take. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: "TLSv1.2";
  /** End of validity, ms since 1970. */
  readonly validTo: number;
}

/** Let's Encrypt renews 30 days before the end: whatever is younger than that should have been renewed. */
const SOON_MS = 30 * 24 * 3_600_000;

/** A renewal writes two files, one after the other. */
const SETTLE_MS = 500;

/** fs.watch sees nothing on some mounts (bind mounts of single files, NFS): look once a minute as well. */
const LOOK_EVERY_MS = 60_000;

/** A certificate that runs out is said once a day, until somebody renews it. */
const REMIND_EVERY_MS = 24 * 3_600_000;

/** Reads both files; throws an AppError with the way out when they cannot serve. */
export async function loadTls(options: TlsOptions): Promise<TlsMaterial> {
  const { cert, key } = options;
  if (!cert) throw new AppError("TLS_NOT_CONFIGURED", { missing: "ssl.cert" });
  if (!key) throw new AppError("TLS_NOT_CONFIGURED", { missing: "ssl.key" });
  const [certText, keyText] = await Promise.all([read("ssl.cert", cert), read("ssl.key", key)]);
  const certificate = parseCertificate(cert, certText);
  if (!certificate.checkPrivateKey(parseKey(key, keyText)))
    throw new AppError("TLS_KEY_MISMATCH", { cert, key });
  const material = { cert: certText, key: keyText, minVersion: "TLSv1.2" } as const;
  try {
    createSecureContext(material);
  } catch (failure) {
    throw new AppError(
      "TLS_FILE_INVALID",
      { key: "ssl.cert", path: cert, problem: reasonOf(failure) },
      failure,
    );
  }
  return { ...material, validTo: certificate.validToDate.getTime() };
}

/** A sentence to warn with when the certificate is expired or soon will be; null while all is well. */
export function expiryWarning(validTo: number, path: string, now: number): string | null {
  if (validTo - now > SOON_MS) return null;
  const day = new Date(validTo).toISOString().slice(0, 10);
  const what = validTo <= now ? `EXPIRED on ${day}` : `expires on ${day}`;
  return (
    `The certificate ${path} ${what}. It is still served, because phones may have pinned it; ` +
    "renew it, and the new one is taken up without a restart."
  );
}

export interface TlsWatchOptions {
  readonly files: { readonly cert: string; readonly key: string };
  readonly current: TlsMaterial;
  readonly clock: Clock;
  readonly logger: Logger;
  onChange(material: TlsMaterial): void;
}

/**
 * Follows the two files until `close`. What cannot serve is reported, and the old certificate stays. One that was made
 * ahead is put in its place when its time has come.
 */
export function watchTls(options: TlsWatchOptions): { close(): void } {
  const { files, clock, logger } = options;
  let current = options.current;
  let remindedAt = remind(current, options);
  let lastProblem = "";
  let settling: NodeJS.Timeout | undefined;
  const renew = async (): Promise<void> => {
    if (await takeUpNext(files.cert, clock.now(), logger)) settle();
  };

  const look = async (): Promise<void> => {
    try {
      const found = await loadTls({ enable: true, ...files });
      lastProblem = "";
      if (found.cert.equals(current.cert) && found.key.equals(current.key)) return;
      options.onChange(found);
      current = found;
      logger.info(`The certificate ${files.cert} has changed and is now in use`);
      remindedAt = remind(current, options);
    } catch (failure) {
      const problem = reasonOf(failure);
      if (problem !== lastProblem) logger.warn(`${problem}; the certificate read before stays in use`);
      lastProblem = problem;
    }
  };

  const settle = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => void look(), SETTLE_MS);
  };
  const watchers = [...new Set([dirname(files.cert), dirname(files.key)])].flatMap((folder) =>
    watchFolder(folder, settle, { anyway: "once a minute", logger }),
  );
  const timer = setInterval(() => {
    void look();
    if (clock.monotonic() - remindedAt <= REMIND_EVERY_MS) return;
    remindedAt = remind(current, options);
    void renew();
  }, LOOK_EVERY_MS);
  void renew();

  return {
    close() {
      clearTimeout(settling);
      clearInterval(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function read(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (failure) {
    throw new AppError("TLS_FILE_UNREADABLE", { key, path, problem: reasonOf(failure) }, failure);
  }
}

function parseCertificate(path: string, text: Buffer): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (failure) {
    const problem = "it holds no PEM certificate";
    throw new AppError("TLS_FILE_INVALID", { key: "ssl.cert", path, problem }, failure);
  }
}

function parseKey(path: string, text: Buffer): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (failure) {
    const isEncrypted = text.includes("ENCRYPTED");
    const problem = isEncrypted ? "it is protected by a passphrase" : "it holds no PEM private key";
    throw new AppError("TLS_FILE_INVALID", { key: "ssl.key", path, problem }, failure);
  }
}

function remind(material: TlsMaterial, options: TlsWatchOptions): number {
  const warning = expiryWarning(material.validTo, options.files.cert, options.clock.now());
  if (warning !== null) options.logger.warn(warning);
  return options.clock.monotonic();
}
