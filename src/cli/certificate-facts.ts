// What a certificate says about itself, as people and phones judge it.
import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";

export interface CertificateFacts {
  /** "DNS" names and addresses of the extension subjectAltName. */
  readonly names: readonly string[];
  /** The CN of the subject; "" where there is none. Nothing modern reads it. */
  readonly commonName: string;
  readonly validFrom: number;
  /** ms since 1970, like validFrom. */
  readonly validTo: number;
  readonly days: number;
  /** "EC prime256v1", "RSA 2048" */
  readonly key: string;
  readonly isWeak: boolean;
  readonly isSelfSigned: boolean;
  /** Whether the file holds every certificate a client needs, up to an authority the world knows or one in the file. */
  readonly isChainComplete: boolean;
  /** Whether an authority that every phone knows has signed it. */
  readonly isPublic: boolean;
}

/** Every certificate in PEM text, in its order. Throws when one of them is none. */
export function parseChain(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Null for an empty chain. The first certificate is the server's own. */
export function certificateFacts(chain: readonly X509Certificate[]): CertificateFacts | null {
  const [own] = chain;
  if (own === undefined) return null;
  const [validFrom, validTo] = [own.validFromDate.getTime(), own.validToDate.getTime()];
  const end = lastOf(chain);
  const isPublic = isSignedByWorld(end);
  return {
    names: alternativeNames(own),
    commonName: /^CN=(.*)$/m.exec(own.subject)?.[1] ?? "",
    validFrom,
    validTo,
    days: Math.round((validTo - validFrom) / DAY_MS),
    ...keyOf(own),
    isSelfSigned: isSelfSigned(own),
    isChainComplete: isPublic || isSelfSigned(end),
    isPublic,
  };
}

/** The names and addresses the certificate is good for. */
export function alternativeNames(certificate: X509Certificate): readonly string[] {
  const parts = certificate.subjectAltName?.split(", ") ?? [];
  return parts.flatMap((part) => {
    const [, kind, name] = /^(DNS|IP Address):(.+)$/.exec(part) ?? [];
    if (name === undefined) return [];
    return kind === "DNS" || !name.includes(":") ? [name] : [shortAddress(name)];
  });
}

/** "FD00:0:0:0:0:0:0:5" as people write it. */
function shortAddress(address: string): string {
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address;
}

const DAY_MS = 24 * 3_600_000;
const LEAST_RSA_BITS = 2048;

/** Follows the issuers through the file, in whatever order they stand. */
function lastOf(chain: readonly X509Certificate[]): X509Certificate {
  let at = chain[0] as X509Certificate;
  for (let steps = 0; steps < chain.length && !isSelfSigned(at); steps++) {
    const child = at;
    const issuer = chain.find((other) => other !== child && isIssued(child, other));
    if (issuer === undefined) break;
    at = issuer;
  }
  return at;
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return isIssued(certificate, certificate);
}

function isIssued(child: X509Certificate, issuer: X509Certificate): boolean {
  return child.checkIssued(issuer) && child.verify(issuer.publicKey);
}

function isSignedByWorld(certificate: X509Certificate): boolean {
  return rootCertificates.some((pem) => {
    const root = new X509Certificate(pem);
    return root.fingerprint256 === certificate.fingerprint256 || isIssued(certificate, root);
  });
}

function keyOf({ publicKey }: X509Certificate): { key: string; isWeak: boolean } {
  const details = publicKey.asymmetricKeyDetails ?? {};
  switch (publicKey.asymmetricKeyType) {
    case "rsa": {
      const bits = details.modulusLength ?? 0;
      return { key: `RSA ${bits}`, isWeak: bits < LEAST_RSA_BITS };
    }
    case "ec":
      return { key: `EC ${details.namedCurve ?? ""}`.trim(), isWeak: false };
    default:
      return { key: publicKey.asymmetricKeyType ?? "unknown", isWeak: true };
  }
}
