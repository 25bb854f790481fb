// What is on this machine already: ZoneMinder, and certificates of the web server.
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { readPlainFile } from "../../lib/plain-file.ts";
import { type CertificateFacts, certificateFacts, parseChain } from "../certificate-facts.ts";

/** Debian, Fedora; then what builds from source use. */
const ZM_CONFS = ["/etc/zm/zm.conf", "/etc/zm.conf", "/usr/local/etc/zm.conf", "/usr/local/etc/zm/zm.conf"];

/** `root` stands for "/" in all of these; another one in tests. */
export function findZmConf(root: string): string | null {
  return ZM_CONFS.map((file) => path.join(root, file)).find((file) => existsSync(file)) ?? null;
}

export interface FoundCertificate {
  readonly cert: string;
  readonly key: string;
  readonly facts: CertificateFacts;
}

/** Certificates with their keys that still hold: Let's Encrypt's first, then those of Apache and nginx. */
export function findCertificates(root: string, now: number): readonly FoundCertificate[] {
  const pairs = [...letsEncrypt(root), ...webServers(root), ...fromInstructions(root)];
  const unique = new Map(pairs.map((pair) => [pair.cert, pair]));
  return [...unique.values()].flatMap(({ cert, key }) => {
    const facts = factsOf(cert);
    // Debian's "snakeoil" is made out to the host name that the machine had when it was installed.
    if (facts === null || facts.validTo <= now || cert.includes("snakeoil") || !existsSync(key)) return [];
    return [{ cert, key, facts }];
  });
}

/** Null where it cannot be read or is none. */
export function factsOf(cert: string): CertificateFacts | null {
  try {
    return certificateFacts(parseChain(readPlainFile(cert)));
  } catch {
    return null;
  }
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

function letsEncrypt(root: string): readonly Pair[] {
  return glob(path.join(root, "/etc/letsencrypt/live/*/fullchain.pem")).map((cert) => ({
    cert,
    key: path.join(path.dirname(cert), "privkey.pem"),
  }));
}

const WEB_SERVER_FILES = [
  "/etc/apache2/sites-enabled/*",
  "/etc/httpd/conf.d/*.conf",
  "/etc/nginx/sites-enabled/*",
  "/etc/nginx/conf.d/*.conf",
];
const CERTIFICATE_LINE = /^\s*(?:SSLCertificateFile|ssl_certificate)\s+"?([^\s";]+)/m;
const KEY_LINE = /^\s*(?:SSLCertificateKeyFile|ssl_certificate_key)\s+"?([^\s";]+)/m;

function webServers(root: string): readonly Pair[] {
  return WEB_SERVER_FILES.flatMap((pattern) => glob(path.join(root, pattern))).flatMap((file) => {
    const text = textOf(file);
    const [cert, key] = [CERTIFICATE_LINE, KEY_LINE].map((line) => line.exec(text)?.[1]);
    if (cert === undefined || key === undefined) return [];
    return [{ cert: path.join(root, cert), key: path.join(root, key) }];
  });
}

/** Where the instructions of versions 1.0 to 3.2 tell people to put what they made. */
function fromInstructions(root: string): readonly Pair[] {
  return ["/etc/apache2/ssl", "/etc/zm/apache2/ssl"].map((folder) => ({
    cert: path.join(root, folder, "zoneminder.crt"),
    key: path.join(root, folder, "zoneminder.key"),
  }));
}

function glob(pattern: string): readonly string[] {
  return globSync(pattern).toSorted();
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
