// The certificate of the port, as phones judge it: names, dates, chain, key.
import { readFile } from "node:fs/promises";
import { shellWord } from "../../lib/command-line.ts";
import { AppError } from "../../lib/errors.ts";
import { loadTls } from "../../server/tls.ts";
import { type CertificateFacts, certificateFacts, parseChain } from "../certificate-facts.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./check.ts";
import type { Subject } from "./subject.ts";

export const certificate: Check = {
  name: "certificate",
  title: "Certificate",
  async run(subject) {
    const { ssl } = subject.config;
    if (!ssl.enable)
      return [
        warning(
          "TLS is off (ssl.enable): passwords cross the network readable",
          "Get a certificate: sudo zmes setup --force",
        ),
      ];
    if (ssl.cert === null || ssl.key === null)
      return [skipped("The configuration names no certificate and key")];
    try {
      await loadTls(ssl);
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      return [problem(failure.message, fixFor(failure, subject))];
    }
    const facts = certificateFacts(parseChain(await readFile(ssl.cert, "utf8")));
    if (facts === null) return [skipped(`${ssl.cert} holds no certificate`)];
    return judgeCertificate(facts, { file: ssl.cert, now: subject.clock.now(), hosts: hostsOf(subject) });
  },
};

interface Judging {
  readonly file: string;
  readonly now: number;
  /** Names under which clients come, as far as they are known. */
  readonly hosts: readonly string[];
}

const RENEW = "Make a new one: sudo zmes setup --renew-certificate, or renew it where it came from.";
const DAY_MS = 24 * 3_600_000;
/** Let's Encrypt renews 30 days before the end. */
const SOON_DAYS = 30;
/** Apple, "Requirements for trusted certificates in iOS 13": nothing longer is accepted, not even from an own authority. */
const MAX_DAYS = 825;

export function judgeCertificate(facts: CertificateFacts, { file, now, hosts }: Judging): readonly Finding[] {
  return [
    ...dates(facts, now),
    ...names(facts, hosts),
    ...(facts.days > MAX_DAYS
      ? [warning(`It is valid for ${facts.days} days; iPhones accept at most ${MAX_DAYS}`, RENEW)]
      : []),
    ...(facts.isWeak ? [warning(`Its key (${facts.key}) is too weak for today's phones`, RENEW)] : []),
    ...(facts.isChainComplete
      ? []
      : [
          warning(
            `${file} lacks the certificate of its issuer, so phones do not trust it`,
            "Name the file with the whole chain in ssl.cert (with Let's Encrypt: fullchain.pem instead of cert.pem).",
          ),
        ]),
    trust(facts),
  ];
}

function dates({ validFrom, validTo }: CertificateFacts, now: number): readonly Finding[] {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  if (now < validFrom)
    return [
      problem(
        `It is not valid before ${day(validFrom)}`,
        "See whether the clock of this machine is right: date",
      ),
    ];
  if (now >= validTo) return [problem(`It EXPIRED on ${day(validTo)}`, RENEW)];
  const left = Math.floor((validTo - now) / DAY_MS);
  return left < SOON_DAYS
    ? [warning(`It expires in ${left} days, on ${day(validTo)}`, RENEW)]
    : [ok(`It is valid until ${day(validTo)}`)];
}

function names({ names: found, commonName }: CertificateFacts, hosts: readonly string[]): readonly Finding[] {
  if (found.length === 0)
    return [
      problem(
        `It has only a common name (${commonName || "none"}) and no alternative names: phones and browsers of today refuse it`,
        "Let a right one be made: sudo zmes setup --renew-certificate --name HOST, with each name and address under which phones reach this server.",
      ),
    ];
  const missing = hosts.filter((host) => !found.some((name) => matches(name, host)));
  return [
    ok(`It is made out to ${found.join(", ")}`),
    ...missing.map((host) =>
      problem(
        `It is not made out to ${host}`,
        `Let a right one be made: sudo zmes setup --renew-certificate --name ${host}, or use one of its names.`,
      ),
    ),
  ];
}

/** RFC 6125, 6.4.3: a star stands for one label. */
function matches(name: string, host: string): boolean {
  const [own, other] = [name.toLowerCase(), host.toLowerCase()];
  if (own === other) return true;
  return own.startsWith("*.") && other.slice(other.indexOf(".")) === own.slice(1);
}

function trust({ isPublic, isSelfSigned, key }: CertificateFacts): Finding {
  if (isPublic) return ok(`Every phone trusts its issuer (${key})`);
  return isSelfSigned
    ? warning(
        `It is signed by itself (${key}): each phone has to be told to trust it`,
        "Let zmes make an authority, which a phone trusts once and for all: sudo zmes setup --renew-certificate",
      )
    : ok(`It is signed by an authority of your own (${key}), which each phone must know: docs/setup.md`);
}

function fixFor({ code, hint }: AppError, { webUser, config }: Subject): string {
  if (code !== "TLS_FILE_UNREADABLE") return hint;
  const key = config.ssl.key ?? "FILE";
  return key.startsWith("/etc/letsencrypt/")
    ? "Files of Let's Encrypt belong to root alone; let `sudo zmes setup --force` show how the server gets them without changing that."
    : `Let the server's user read both files and enter their folders: sudo -u ${webUser} cat ${shellWord(key)} >/dev/null`;
}

function hostsOf({ url, config }: Subject): readonly string[] {
  const addresses = [url, config.pictures.public_url === null ? null : URL.parse(config.pictures.public_url)];
  const hosts = addresses.flatMap((address) =>
    address === null ? [] : [address.hostname.replace(/^\[|\]$/g, "")],
  );
  // A name in front of a proxy has the proxy's certificate.
  return [...new Set(config.network.trusted_proxies.length > 0 ? [] : hosts)];
}
