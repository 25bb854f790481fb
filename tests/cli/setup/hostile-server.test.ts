/** `zmes setup` by root, while the user that the server runs as has been taken over by somebody. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newKey } from "../../../src/cli/setup/authority.ts";
import { provideCertificate } from "../../../src/cli/setup/certificate.ts";
import { readSetupOptions } from "../../../src/cli/setup/options.ts";
import { findUser, ownedFiles } from "../../../src/cli/setup/owned-files.ts";
import { noQuestions } from "../../../src/cli/setup/questions.ts";
import { setUp } from "../../../src/cli/setup.ts";
import { actAs } from "../../../src/lib/privileges.ts";
import { testIo } from "../../support/command-io.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "zmes-hostile-"));
  chmodSync(root, 0o755);
  for (const folder of ["etc/zm", "etc/secret", "var"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "etc/zm/zm.conf"), "ZM_WEB_USER=www-data\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const data = () => join(root, "var/zmes");
const tls = (name: string) => join(data(), "tls", name);
const secret = (name: string) => join(root, "etc/secret", name);

async function run(...argv: readonly string[]): Promise<string> {
  const usual = ["--yes", "--config", join(root, "etc/zm/zmes.yml"), "--data", data()];
  const options = readSetupOptions([...usual, "--name", "zm.example.org", ...argv]);
  if (typeof options === "string") throw new Error(options);
  const io = testIo({ ZMES_MADE_FILES: join(root, "made-files") });
  await setUp({ options, questions: noQuestions(), root, doctor: async () => 0 }, io);
  return io.out();
}

/** What somebody does who is the server's user. */
async function asServer(work: () => void): Promise<void> {
  const user = await findUser("www-data");
  if (user === null) throw new Error("no user www-data");
  actAs(user, work);
}

describe.skipIf(process.getuid?.() !== 0)("root is led nowhere by the server's user", () => {
  test("a link in place of the server's key makes no key of root's readable", async () => {
    await run();
    const key = newKey();
    writeFileSync(secret("privkey.pem"), key, { mode: 0o600 });
    await asServer(() => {
      rmSync(tls("server.key"));
      symlinkSync(secret("privkey.pem"), tls("server.key"));
    });
    await run("--renew-certificate");
    expect(lstatSync(tls("server.key")).isFile()).toBe(true);
    expect(readFileSync(tls("server.key"), "utf8")).not.toBe(key);
  });

  test("a link in place of the folder of the certificate does not make root write where it leads", async () => {
    await run();
    chmodSync(join(root, "etc/secret"), 0o755);
    await asServer(() => {
      rmSync(tls("next"), { recursive: true });
      symlinkSync(join(root, "etc/secret"), tls("next"));
    });
    await expect(run("--renew-certificate")).rejects.toMatchObject({ code: "SETUP_UNWRITABLE" });
    await asServer(() => {
      execFileSync("rm", ["-rf", join(data(), "tls")]);
      symlinkSync(join(root, "etc/secret"), join(data(), "tls"));
    });
    await expect(run("--renew-certificate")).rejects.toThrow();
    expect(readdirSync(join(root, "etc/secret"))).toEqual([]);
  });

  test("a folder that becomes a link between look and write does not either", async () => {
    await run();
    const user = await findUser("www-data");
    if (user === null) throw new Error("no user www-data");
    const files = ownedFiles(user, join(root, "made-files"));
    await asServer(() => {
      execFileSync("rm", ["-rf", join(data(), "push")]);
      symlinkSync(join(root, "etc/secret"), join(data(), "push"));
    });
    expect(() => files.write(join(data(), "push/tokens.txt"), "x", "server")).toThrow(/EACCES/);
    expect(() => files.folder(join(data(), "push/deeper"), "server")).toThrow(/EACCES/);
    expect(readdirSync(join(root, "etc/secret"))).toEqual([]);
  });

  test("a pipe in place of the key or the certificate keeps nobody waiting", async () => {
    await run();
    for (const name of ["server.key", "server.pem"]) {
      await asServer(() => {
        rmSync(tls(name));
        execFileSync("mkfifo", [tls(name)]);
      });
    }
    await run("--renew-certificate");
    expect(lstatSync(tls("server.key")).isFile()).toBe(true);
    expect(lstatSync(tls("server.pem")).isFile()).toBe(true);
  });

  test("what is made is still the server's own, and root is root afterwards", async () => {
    await run();
    for (const file of [tls("server.key"), tls("server.pem"), tls("next/2.pem")]) {
      expect(statSync(file)).toMatchObject({ uid: 33, gid: 33 });
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(data(), "tls")).mode & 0o777).toBe(0o750);
    expect([process.geteuid?.(), process.getegid?.()]).toEqual([0, 0]);
  });

  test("the copy after a renewal of Let's Encrypt follows no link", async () => {
    await run();
    const live = join(root, "etc/letsencrypt/live/zm.example.org");
    mkdirSync(live, { recursive: true, mode: 0o700 });
    writeFileSync(join(live, "privkey.pem"), readFileSync(tls("server.key")), { mode: 0o600 });
    writeFileSync(join(live, "fullchain.pem"), readFileSync(tls("server.pem")), { mode: 0o600 });
    const user = await findUser("www-data");
    if (user === null) throw new Error("no user www-data");
    const job = {
      names: ["zm.example.org"],
      files: ownedFiles(user, join(root, "made-files")),
      configFolder: join(root, "etc/zm"),
      dataDirectory: data(),
    };
    const plan = {
      kind: "found",
      cert: join(live, "fullchain.pem"),
      key: join(live, "privkey.pem"),
    } as const;
    await provideCertificate(
      { ...plan, isPublic: true },
      { ...job, renew: false, anew: false, hasSystemd: true, root, now: Date.now() },
    );
    expect(statSync(tls("server.key"))).toMatchObject({ uid: 33 });
    await asServer(() => {
      execFileSync("rm", ["-rf", join(data(), "tls")]);
      symlinkSync(join(root, "etc/secret"), join(data(), "tls"));
    });
    const hook = join(root, "etc/letsencrypt/renewal-hooks/deploy/zmes");
    const { status } = spawnSync(hook, { env: { PATH: "/usr/bin:/bin", RENEWED_LINEAGE: live } });
    expect(status).not.toBe(0);
    expect(readdirSync(join(root, "etc/secret"))).toEqual([]);
  });

  test("an authority that somebody else put there is not shown to phones", async () => {
    await run();
    const authority = join(root, "etc/zm/zmes-ca.crt");
    const foreign = readFileSync(authority);
    for (const name of ["zmes-ca.crt", "zmes-ca.key"])
      execFileSync("chown", ["www-data", join(root, "etc/zm", name)]);
    await run("--renew-certificate");
    expect(readFileSync(authority)).not.toEqual(foreign);
    expect(statSync(authority).uid).toBe(0);
  });
});

test.skipIf(process.getuid?.() !== 0)("a folder of the system does not become the server's", async () => {
  await expect(run("--data", "/etc/systemd/system/cron.service.d")).rejects.toMatchObject({
    code: "SETUP_UNWRITABLE",
  });
  expect(existsSync("/etc/systemd/system/cron.service.d")).toBe(false);
});

test("after a break-in key and authority can be made anew, and it is said that phones must forget the old one", async () => {
  await run();
  const before = [tls("server.key"), join(root, "etc/zm/zmes-ca.crt")].map((file) =>
    readFileSync(file, "utf8"),
  );
  const out = await run("--new-authority");
  const after = [tls("server.key"), join(root, "etc/zm/zmes-ca.crt")].map((file) =>
    readFileSync(file, "utf8"),
  );
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  expect(out).toContain("Take it off each phone");
  expect(existsSync(join(data(), "tls/next/2.pem"))).toBe(true);
});

test("a name without a dot is taken when somebody gives it, and what it allows is said", async () => {
  expect(await run("--name", "zm")).toContain("every name that ends in .zm as well");
});

test("what was made while the clock was ahead is made anew when it is right", async () => {
  const year = 365 * 86_400_000;
  const user = await findUser("www-data");
  if (user === null) throw new Error("no user www-data");
  const files = ownedFiles(user, join(root, "made-files"));
  mkdirSync(data());
  if (files.isRoot) execFileSync("chown", ["www-data:", data()]);
  const job = { names: ["zm.example.org"], files, configFolder: join(root, "etc/zm"), dataDirectory: data() };
  const made = async (now: number) =>
    await provideCertificate(
      { kind: "own" },
      { ...job, renew: false, anew: false, hasSystemd: false, root, now },
    );
  await made(Date.now() + 20 * year);
  const { authority } = await made(Date.now());
  expect(authority?.isNew).toBe(true);
  const verified = spawnSync("openssl", [
    ...["verify", "-purpose", "sslserver", "-CAfile", join(root, "etc/zm/zmes-ca.crt")],
    tls("server.pem"),
  ]);
  expect(verified.status).toBe(0);
});
