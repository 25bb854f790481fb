/** The certificate as phones judge it, with certificates of openssl. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { certificateFacts, parseChain } from "../../../src/cli/certificate-facts.ts";
import { certificate, judgeCertificate } from "../../../src/cli/doctor/certificate.ts";
import { issueCertificates, makeAuthority, newKey } from "../../../src/cli/setup/authority.ts";
import { createPatient, type Patient, said } from "../../support/doctor.ts";

let patient: Patient;
let cert = "";
let key = "";
beforeEach(() => {
  patient = createPatient();
  cert = join(patient.folder, "zoneminder.crt");
  key = join(patient.folder, "zoneminder.key");
});
afterEach(() => patient.remove());

const ssl = () => ({ ssl: { enable: true, cert, key } });

function selfSigned(...args: readonly string[]): void {
  const usual = ["req", "-x509", "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=zm.example.org"];
  execFileSync("openssl", [...usual, ...args], { stdio: "ignore" });
}

test("one made by the instructions of the original: only a common name, far too long, signed by itself", async () => {
  // The very command of the instructions of versions 1.0 to 3.2.
  selfSigned("-days", "4096", "-newkey", "rsa:2048");
  const lines = said(await patient.examine(certificate, ssl()));
  expect(lines).toEqual([
    expect.stringMatching(/^ok: It is valid until /),
    expect.stringMatching(/^problem: It has only a common name \(zm\.example\.org\)/),
    expect.stringMatching(/^warning: It is valid for 4096 days; iPhones accept at most 825/),
    expect.stringMatching(/^warning: It is signed by itself \(RSA 2048\)/),
  ]);
});

test("one made by setup has nothing wrong with it", async () => {
  const serverKey = newKey();
  const authority = await makeAuthority(["zm.example.org"], Date.now());
  const issued = await issueCertificates(authority, {
    names: ["zm.example.org"],
    key: serverKey,
    now: Date.now(),
  });
  writeFileSync(cert, issued?.[0] ?? "");
  writeFileSync(key, serverKey);
  for (const { level } of await patient.examine(certificate, ssl())) expect(level).toBe("ok");
});

test("one whose issuer is not in the file is told apart from a whole chain", async () => {
  const serverKey = newKey();
  const authority = await makeAuthority(["zm.example.org"], Date.now());
  const issued = await issueCertificates(authority, {
    names: ["zm.example.org"],
    key: serverKey,
    now: Date.now(),
  });
  const [own] = parseChain(issued?.[0] ?? "");
  writeFileSync(cert, own?.toString() ?? "");
  writeFileSync(key, serverKey);
  const found = await patient.examine(certificate, ssl());
  expect(found).toContainEqual(
    expect.objectContaining({ level: "warning", fix: expect.stringContaining("fullchain.pem") }),
  );
});

test("the name by which phones come is looked for in it, stars included", async () => {
  selfSigned(
    "-days",
    "90",
    "-newkey",
    "rsa:2048",
    "-addext",
    "subjectAltName=DNS:*.example.org,IP:192.168.1.5",
  );
  const examine = (url: string) => patient.examine(certificate, ssl(), { url: new URL(url) });
  expect(said(await examine("wss://zm.example.org:9000")).filter((line) => /^problem/.test(line))).toEqual(
    [],
  );
  expect(said(await examine("wss://192.168.1.5:9000")).filter((line) => /^problem/.test(line))).toEqual([]);
  expect(said(await examine("wss://a.zm.example.org"))).toContain(
    "problem: It is not made out to a.zm.example.org",
  );
});

test("dates: not yet, soon over, over", () => {
  selfSigned("-days", "90", "-newkey", "rsa:2048", "-addext", "subjectAltName=DNS:zm.example.org");
  const facts = certificateFacts(parseChain(readFileSync(cert, "utf8")));
  if (facts === null) throw new Error("no certificate");
  const at = (now: number) => said(judgeCertificate(facts, { file: cert, now, hosts: [] }))[0];
  expect(at(facts.validFrom - 1000)).toMatch(/^problem: It is not valid before/);
  expect(at(facts.validTo - 86_400_000 * 3.5)).toMatch(/^warning: It expires in 3 days/);
  expect(at(facts.validTo + 1000)).toMatch(/^problem: It EXPIRED on/);
});

test("weak keys are named", () => {
  selfSigned("-days", "90", "-newkey", "rsa:1024");
  expect(certificateFacts(parseChain(readFileSync(cert, "utf8")))).toMatchObject({
    key: "RSA 1024",
    isWeak: true,
  });
});

test("files that are missing or do not belong together are problems with a way out", async () => {
  const [missing] = await patient.examine(certificate, ssl());
  expect(missing).toMatchObject({ level: "problem", text: expect.stringContaining("cannot be read") });
  selfSigned("-days", "90", "-newkey", "rsa:2048");
  writeFileSync(key, newKey());
  const [other] = await patient.examine(certificate, ssl());
  expect(other).toMatchObject({ level: "problem", text: expect.stringContaining("does not belong to") });
});

test("without TLS there is a warning", async () => {
  expect(await patient.examine(certificate)).toMatchObject([{ level: "warning" }]);
});

test("a certificate of the world's authorities is known as one", async () => {
  const { rootCertificates } = await import("node:tls");
  const facts = certificateFacts(parseChain(rootCertificates[0] ?? ""));
  expect(facts).toMatchObject({ isPublic: true, isChainComplete: true });
});
