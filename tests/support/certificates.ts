// Makes throw-away P-256 certificates with openssl, in a folder of their own.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestCertificate {
  readonly folder: string;
  readonly cert: string;
  readonly key: string;
  remove(): void;
}

/** A self-signed certificate for localhost, valid from now for `days`. */
export function makeCertificate(days = 365): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), "zmes-cert-"));
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  execFileSync(
    "openssl",
    [
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ["-keyout", key, "-out", cert, "-days", String(days), "-subj", "/CN=localhost"],
      ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ].flat(),
    { stdio: "pipe" },
  );
  return { folder, cert, key, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
