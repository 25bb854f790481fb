/** The authority and its certificates, against openssl and a real TLS client. */
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { certificateFacts, parseChain } from "../../../src/cli/certificate-facts.ts";
import {
  type Authority,
  isKeyOf,
  issueCertificates,
  makeAuthority,
  newKey,
} from "../../../src/cli/setup/authority.ts";

const NAMES = ["zm.example.org", "127.0.0.1", "fd00::5"];
const DAY_MS = 24 * 3_600_000;
const now = Date.now();
const key = newKey();
let folder = "";
let authority: Authority = { certificate: "", key: "" };
let chains: readonly string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-authority-"));
  authority = await makeAuthority(NAMES, now);
  chains = (await issueCertificates(authority, { names: NAMES, key, now })) ?? [];
  writeFileSync(join(folder, "ca.crt"), authority.certificate);
  for (const [index, chain] of chains.entries()) writeFileSync(join(folder, `${index}.pem`), chain);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function verify(...args: readonly string[]) {
  const all = ["verify", "-purpose", "sslserver", "-CAfile", join(folder, "ca.crt"), ...args];
  const { status, stdout, stderr } = spawnSync("openssl", all, { encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
}

test("openssl accepts each certificate for a server in its time, under each of its names", () => {
  for (const [index, chain] of chains.entries()) {
    const at = String(Math.floor((certificateFacts(parseChain(chain))?.validFrom ?? 0) / 1000 + 2 * 86_400));
    const file = join(folder, `${index}.pem`);
    expect(verify("-attime", at, "-verify_hostname", "zm.example.org", file)).toMatchObject({ status: 0 });
    expect(verify("-attime", at, "-verify_ip", "127.0.0.1", file)).toMatchObject({ status: 0 });
    expect(verify("-attime", at, "-verify_ip", "fd00::5", file)).toMatchObject({ status: 0 });
  }
});

test("no certificate is valid for more than the 825 days that iPhones accept", () => {
  expect(chains.map((chain) => certificateFacts(parseChain(chain))?.days)).toEqual([824, 824, 824, 824, 824]);
});

test("they follow each other for ten years, and two months before each end the next is valid", () => {
  const facts = chains.map((chain) => certificateFacts(parseChain(chain)));
  for (const [index, one] of facts.entries()) {
    const next = facts[index + 1];
    if (!one || !next) continue;
    expect(Math.round((one.validTo - next.validFrom) / DAY_MS)).toBe(60);
  }
  expect((facts.at(-1)?.validTo ?? 0) - now).toBeGreaterThan(10 * 365 * DAY_MS);
  const authorityEnds = new X509Certificate(authority.certificate).validToDate.getTime();
  expect(authorityEnds).toBeGreaterThan(facts.at(-1)?.validTo ?? 0);
});

test("all of them have the server's one key, on P-256, so that whoever remembers the key notices no change", () => {
  const own = chains.map((chain) => parseChain(chain)[0]);
  for (const certificate of own) {
    expect(certificate && isKeyOf(certificate.toString(), key)).toBe(true);
    expect(certificate?.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
  }
});

test("the authority may sign for nothing else: openssl refuses a forged certificate of another name", () => {
  const forged = forge("DNS:bank.example.com");
  expect(verify(forged).status).not.toBe(0);
  expect(verify(forged).said).toContain("permitted subtree violation");
  expect(verify(forge("IP:192.168.1.77")).said).toContain("permitted subtree violation");
});

test("a TLS client that trusts the authority refuses a forged certificate, and accepts ours", async () => {
  const forgedKey = join(folder, "forged.key");
  const forged = { cert: join(folder, "forged.crt"), key: forgedKey };
  forge("DNS:bank.example.com");
  expect(await handshake(chains[0] ?? "", key, "zm.example.org")).toBe("accepted");
  const refused = await handshake(
    readFileSync(forged.cert, "utf8"),
    readFileSync(forged.key, "utf8"),
    "bank.example.com",
  );
  expect(refused).toContain("permitted subtree violation");
});

test.each([
  { permitted: ["10.0.0.1"], asked: "bank.example.com" },
  { permitted: ["garden"], asked: "10.0.0.1" },
  { permitted: ["garden"], asked: "fd00::1" },
])("an authority for $permitted alone signs nothing for $asked", async ({ permitted, asked }) => {
  const small = await makeAuthority(permitted, now);
  expect(await issueCertificates(small, { names: [asked], key, now })).toBeNull();
  expect(await issueCertificates(small, { names: permitted, key, now })).toHaveLength(5);
});

test("an authority near its end signs only as long as it lasts itself", async () => {
  const ends = new X509Certificate(authority.certificate).validToDate.getTime();
  const late = await issueCertificates(authority, { names: NAMES, key, now: ends - 100 * DAY_MS });
  expect(late).toHaveLength(1);
  expect(certificateFacts(parseChain(late?.[0] ?? ""))?.validTo).toBeLessThanOrEqual(ends);
});

/** What a thief of the authority's key would make. */
function forge(alternative: string): string {
  const [cert, forgedKey, config] = ["forged.crt", "forged.key", "forged.cnf"].map((name) =>
    join(folder, name),
  );
  writeFileSync(join(folder, "ca.key"), authority.key);
  writeFileSync(config ?? "", `subjectAltName=${alternative}\nextendedKeyUsage=serverAuth\n`);
  const request = [
    "req",
    "-new",
    "-nodes",
    "-newkey",
    "rsa:2048",
    "-subj",
    "/CN=forged",
    "-keyout",
    forgedKey ?? "",
  ];
  const csr = join(folder, "forged.csr");
  execFileSync("openssl", [...request, "-out", csr], { stdio: "ignore" });
  const issuer = ["-CA", join(folder, "ca.crt"), "-CAkey", join(folder, "ca.key"), "-CAcreateserial"];
  const sign = [
    "x509",
    "-req",
    "-in",
    csr,
    ...issuer,
    "-days",
    "90",
    "-extfile",
    config ?? "",
    "-out",
    cert ?? "",
  ];
  execFileSync("openssl", sign, { stdio: "ignore" });
  return cert ?? "";
}

/** "accepted", or why the client refuses. */
async function handshake(cert: string, serverKey: string, servername: string): Promise<string> {
  const server = createServer({ cert, key: serverKey }).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => undefined);
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const client = connect({ host: "127.0.0.1", port, servername, ca: authority.certificate });
      client.once("secureConnect", () => resolve("accepted"));
      client.once("error", (failure) => resolve(failure.message));
      client.once("secureConnect", () => client.destroy());
    });
  } finally {
    server.close();
  }
}

test("the authority is valid as early as what it signs: a phone's clock may be behind", () => {
  const [own, issuer] = parseChain(chains[0] ?? "");
  expect(issuer?.validFromDate.getTime()).toBeLessThanOrEqual(own?.validFromDate.getTime() ?? 0);
  expect(issuer?.validToDate.getTime()).toBeGreaterThan(
    parseChain(chains.at(-1) ?? "")[0]?.validToDate.getTime() ?? Number.POSITIVE_INFINITY,
  );
});

test.each([0, Date.UTC(2099, 0, 1)])(
  "a clock at %i makes certificates that are valid at that time",
  async (at) => {
    const made = await makeAuthority(["zm.example.org"], at);
    const [first] = (await issueCertificates(made, { names: ["zm.example.org"], key, now: at })) ?? [];
    const [own, issuer] = parseChain(first ?? "");
    for (const certificate of [own, issuer]) {
      expect(certificate?.validFromDate.getTime()).toBeLessThan(at);
      expect(certificate?.validToDate.getTime()).toBeGreaterThan(at);
    }
  },
);

test("what the authority is says itself: critical constraints, no authority below it, signing only", () => {
  const text = execFileSync("openssl", ["x509", "-noout", "-text", "-in", join(folder, "ca.crt")], {
    encoding: "utf8",
  });
  expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  expect(text).toMatch(/Name Constraints: critical/);
  const serials = chains.map((chain) => parseChain(chain)[0]?.serialNumber ?? "");
  expect(new Set(serials).size).toBe(chains.length);
  expect(serials.every((serial) => serial.length >= 32)).toBe(true);
});
