/** Certificates made ahead: taken up in time, announced before, and served without a restart. */
import { X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { issueCertificates, makeAuthority, newKey } from "../../src/cli/setup/authority.ts";
import { takeUpNext } from "../../src/server/next-certificate.ts";
import { eventually } from "../support/eventually.ts";
import { startServer } from "../support/server.ts";

const DAY_MS = 24 * 3_600_000;
const now = Date.now();
let folder = "";
let cert = "";
let ends = 0;
let lines: string[] = [];
const logger = pino({ level: "debug" }, { write: (line: string) => lines.push(JSON.parse(line).msg) });

/** As `zmes setup` leaves them; `made`: when it ran. */
async function makeFiles(made: number): Promise<void> {
  const key = newKey();
  const authority = await makeAuthority(["localhost"], made);
  const [first = "", ...next] =
    (await issueCertificates(authority, { names: ["localhost"], key, now: made })) ?? [];
  writeFileSync(cert, first);
  writeFileSync(join(folder, "server.key"), key);
  for (const [index, text] of next.entries()) writeFileSync(join(folder, "next", `${index + 2}.pem`), text);
  ends = new X509Certificate(first).validToDate.getTime();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-next-"));
  mkdirSync(join(folder, "next"));
  cert = join(folder, "server.pem");
  lines = [];
  await makeFiles(now);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const serial = () => new X509Certificate(readFileSync(cert)).serialNumber;
const waiting = () => readdirSync(join(folder, "next")).sort();

test("until seven weeks before the end nothing happens and nothing is said", async () => {
  const before = serial();
  expect(await takeUpNext(cert, ends - 50 * DAY_MS, logger)).toBe(false);
  expect(serial()).toBe(before);
  expect(lines).toEqual([]);
});

test("two weeks before the change the log names its day and the new fingerprint", async () => {
  const before = serial();
  const next = new X509Certificate(readFileSync(join(folder, "next/2.pem")));
  expect(await takeUpNext(cert, ends - 45 * DAY_MS, logger)).toBe(false);
  expect(serial()).toBe(before);
  expect(lines[0]).toContain(new Date(ends - 35 * DAY_MS).toISOString().slice(0, 10));
  expect(lines[0]).toContain(next.fingerprint256);
});

test("35 days before the end the next one takes its place, with the same key", async () => {
  const key = new X509Certificate(readFileSync(cert)).publicKey;
  expect(await takeUpNext(cert, ends - 34 * DAY_MS, logger)).toBe(true);
  const taken = new X509Certificate(readFileSync(cert));
  expect(taken.validToDate.getTime()).toBeGreaterThan(ends + 700 * DAY_MS);
  expect(taken.publicKey.equals(key)).toBe(true);
  expect(waiting()).toEqual(["3.pem", "4.pem", "5.pem"]);
  expect(await takeUpNext(cert, ends - 34 * DAY_MS, logger)).toBe(false);
});

test("after years without power the one that holds now is taken up", async () => {
  const at = now + 6 * 365 * DAY_MS;
  expect(await takeUpNext(cert, at, logger)).toBe(true);
  const taken = new X509Certificate(readFileSync(cert));
  expect(taken.validFromDate.getTime()).toBeLessThan(at);
  expect(taken.validToDate.getTime()).toBeGreaterThan(at);
});

test("a certificate of another key is never taken up", async () => {
  const other = await makeAuthority(["localhost"], now);
  const [foreign = ""] =
    (await issueCertificates(other, { names: ["localhost"], key: newKey(), now: now + 800 * DAY_MS })) ?? [];
  for (const name of waiting()) writeFileSync(join(folder, "next", name), foreign);
  expect(await takeUpNext(cert, ends - DAY_MS, logger)).toBe(false);
});

test("a certificate that setup did not make has none to follow it", async () => {
  rmSync(join(folder, "next"), { recursive: true });
  expect(await takeUpNext(cert, ends - DAY_MS, logger)).toBe(false);
  expect(lines).toEqual([]);
});

test("a damaged one is said, and does not keep the others from their turn", async () => {
  writeFileSync(join(folder, "next/2.pem"), "nonsense");
  expect(await takeUpNext(cert, ends - DAY_MS, logger)).toBe(false);
  expect(lines[0]).toContain("2.pem, one of the certificates made ahead, cannot be used");
  expect(await takeUpNext(cert, ends + 750 * DAY_MS, logger)).toBe(true);
  expect(waiting()).toEqual(["2.pem", "4.pem", "5.pem"]);
});

test("a certificate that is gone itself is said, and nothing is put in its place", async () => {
  rmSync(cert);
  expect(await takeUpNext(cert, ends - DAY_MS, logger)).toBe(false);
  expect(lines[0]).toContain("The next certificate could not be taken up");
});

test("a running server shows the next one by itself, without a restart", async () => {
  for (const name of waiting()) rmSync(join(folder, "next", name));
  // Made so long ago that its end is near.
  await makeFiles(now - 795 * DAY_MS);
  const next = new X509Certificate(readFileSync(join(folder, "next/2.pem")));
  const server = await startServer({ ssl: { enable: true, cert, key: join(folder, "server.key") } });
  try {
    await eventually(async () => expect(await shownBy(server.port)).toBe(next.fingerprint256));
    expect(existsSync(join(folder, "next/2.pem"))).toBe(false);
  } finally {
    await server.stop();
  }
});

/** The fingerprint of the certificate that a client is shown. */
function shownBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}
