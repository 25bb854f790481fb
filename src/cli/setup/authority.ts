// A small certificate authority of the operator's own, and the server certificates it signs, made with openssl.
import { execFile } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP, isIPv4 } from "node:net";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { AppError, reasonOf, systemCode } from "../../lib/errors.ts";

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

/**
 * Certificates are made ahead, each beginning before the one before it ends: the key of the authority is for root
 * alone, so the server can only take up what is there already. Five last ten years.
 */
const CERTIFICATES = 5;
/** Apple accepts at most 825 days; some programs count the last second as another one. */
const VALID_DAYS = 824;
/** Two certificates are valid together for this long: time to take up the next, and to warn before. */
const OVERLAP_DAYS = 60;
/** A phone's clock may be behind, or ours ahead. */
const EARLY_DAYS = 1;
const STEP_DAYS = VALID_DAYS - OVERLAP_DAYS;
const AUTHORITY_DAYS = CERTIFICATES * STEP_DAYS + OVERLAP_DAYS + 30;
const DAY_MS = 24 * 3_600_000;

/** A new P-256 key, PEM (PKCS #8): the key every phone and every TLS library knows, and the fastest to sign with. */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/**
 * An authority that can sign for these names and addresses and nothing else, so that a phone that trusts it trusts it
 * with nothing else. Throws CERTIFICATE_NOT_MADE.
 */
export async function makeAuthority(names: readonly string[], now: number): Promise<Authority> {
  const key = newKey();
  const certificate = await inFolder(async (folder, openssl) => {
    writeFileSync(path.join(folder, "ca.key"), key, { mode: 0o600 });
    writeFileSync(path.join(folder, "ca.cnf"), authorityConfig(names, now));
    writeFileSync(path.join(folder, "index.txt"), "");
    const files = ["-config", "ca.cnf", "-in", "ca.csr", "-out", "ca.crt"];
    const start = now - EARLY_DAYS * DAY_MS;
    const dates = ["-startdate", asn1Time(start), "-enddate", asn1Time(start + AUTHORITY_DAYS * DAY_MS)];
    await openssl("req", "-new", "-sha256", "-key", "ca.key", "-config", "ca.cnf", "-out", "ca.csr");
    await openssl("ca", "-selfsign", "-batch", "-notext", ...files, ...dates);
    return readFileSync(path.join(folder, "ca.crt"), "utf8");
  });
  return { certificate, key };
}

/**
 * Server certificates for the names, one after the other in time, all with the server's one `key`; each followed by
 * the authority's. Null when this authority may not sign for one of the names. Throws CERTIFICATE_NOT_MADE.
 */
export async function issueCertificates(
  authority: Authority,
  { names, key, now }: { readonly names: readonly string[]; readonly key: string; readonly now: number },
): Promise<readonly string[] | null> {
  const ends = new X509Certificate(authority.certificate).validToDate.getTime();
  const starts = Array.from(
    { length: CERTIFICATES },
    (_, index) => now + (index * STEP_DAYS - EARLY_DAYS) * DAY_MS,
  );
  const periods = starts
    .map((start) => ({ start, end: Math.min(start + VALID_DAYS * DAY_MS, ends) }))
    .filter(({ start, end }) => end - start > OVERLAP_DAYS * DAY_MS);
  return await inFolder(async (folder, openssl) => {
    const write = (name: string, text: string) =>
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    write("ca.key", authority.key);
    write("ca.crt", authority.certificate);
    write("server.key", key);
    write("index.txt", "");
    write("server.cnf", serverConfig(names));
    await openssl(
      "req",
      "-new",
      "-sha256",
      "-key",
      "server.key",
      "-config",
      "server.cnf",
      "-out",
      "server.csr",
    );
    const issued: string[] = [];
    for (const { start, end } of periods) {
      const dates = ["-startdate", asn1Time(start), "-enddate", asn1Time(end)];
      await openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        "server.cnf",
        "-in",
        "server.csr",
        "-out",
        "server.crt",
        ...dates,
      );
      if (issued.length === 0 && !(await isAccepted(openssl))) return null;
      const own = readFileSync(path.join(folder, "server.crt"), "utf8");
      issued.push(`${own.trimEnd()}\n${authority.certificate}`);
    }
    return issued;
  });
}

/** Whether the two PEM texts belong together. */
export function isKeyOf(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}

type OpenSsl = (...args: readonly string[]) => Promise<string>;

const run = promisify(execFile);
/** It takes milliseconds; a machine without entropy takes seconds. */
const OPENSSL_MS = 30_000;

/** Keys are in that folder for a moment: it is root's alone, and goes whatever happens. */
async function inFolder<T>(work: (folder: string, openssl: OpenSsl) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "zmes-certificate-"));
  try {
    return await work(folder, async (...args) => {
      const env = {
        PATH: `${process.env.PATH ?? ""}:/usr/bin`,
        LC_ALL: "C",
        RANDFILE: path.join(folder, ".rnd"),
      };
      return (await run("openssl", [...args], { cwd: folder, env, timeout: OPENSSL_MS })).stdout;
    });
  } catch (failure) {
    if (failure instanceof AppError) throw failure;
    const problem =
      systemCode(failure) === "ENOENT" ? "openssl is not installed" : lastLine(reasonOf(failure));
    throw new AppError("CERTIFICATE_NOT_MADE", { problem }, failure);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** openssl itself looks at what was made, name constraints included. */
async function isAccepted(openssl: OpenSsl): Promise<boolean> {
  try {
    await openssl("verify", "-no_check_time", "-purpose", "sslserver", "-CAfile", "ca.crt", "server.crt");
    return true;
  } catch (failure) {
    if (/permitted subtree violation|excluded subtree violation/.test(String(failure))) return false;
    const stdout = failure instanceof Error && "stdout" in failure ? String(failure.stdout) : "";
    if (/subtree violation/.test(stdout)) return false;
    throw failure;
  }
}

/** RFC 5280, 4.2.1.10: a kind of name that is not mentioned is not restricted, hence the two that nobody can have. */
const NO_HOST = "zmes.invalid"; // RFC 6761, 6.4
const NO_ADDRESS = "0.0.0.0";

function authorityConfig(names: readonly string[], now: number): string {
  const hosts = names.filter((name) => !isIP(name));
  const addresses = names.filter((name) => isIP(name));
  const permitted = [
    ...(hosts.length > 0 ? hosts : [NO_HOST]).map((host, index) => `permitted;DNS.${index} = ${host}`),
    ...(addresses.length > 0 ? addresses : [NO_ADDRESS]).map(
      (address, index) => `permitted;IP.${index} = ${address}/${isIPv4(address) ? V4_MASK : V6_MASK}`,
    ),
  ];
  // Phones list authorities by this name: two of them have to look different.
  const title = `zmes ${hostname()
    .replace(/[^\w.-]/g, "")
    .slice(0, 30)} ${new Date(now).toISOString().slice(0, 10)}`;
  return `[req]
prompt = no
distinguished_name = subject
[subject]
CN = ${title}
${signing("authority")}[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, @names
[names]
${permitted.join("\n")}
`;
}

const V4_MASK = "255.255.255.255";
const V6_MASK = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

function serverConfig(names: readonly string[]): string {
  const alternatives = names.map((name, index) => `${isIP(name) ? "IP" : "DNS"}.${index} = ${name}`);
  // No name of a host in the subject: nothing modern reads it, and name constraints would look at it.
  return `[req]
prompt = no
distinguished_name = subject
[subject]
CN = zmes notification server
${signing("server")}certificate = ca.crt
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = @names
[names]
${alternatives.join("\n")}
`;
}

/** The sections with which `openssl ca` signs; more lines of the last one may follow. */
function signing(extensions: string): string {
  return `[ca]
default_ca = own
[any]
commonName = supplied
[own]
database = index.txt
new_certs_dir = .
private_key = ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
x509_extensions = ${extensions}
`;
}

/** "20261122073041Z" */
function asn1Time(at: number): string {
  return new Date(at).toISOString().replace(/[-:T]|\.\d+/g, "");
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? text;
}
