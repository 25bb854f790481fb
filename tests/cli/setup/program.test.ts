/** The whole program: questions on a real terminal, then the server, a client that knows the authority, and doctor. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
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
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { loadConfig } from "../../../src/config/load.ts";
import { freePort } from "../../support/free-port.ts";
import { startGoogle } from "../../support/google.ts";
import { giveToWebUser, programFolder } from "../../support/program.ts";

let program = "";
let copy = "";
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "zmes-setup-copy-"));
  chmodSync(copy, 0o755);
  program = join(programFolder(copy), "bin/zmes");
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

let folder = "";
let port = 0;
let children: ChildProcess[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-setup-program-"));
  chmodSync(folder, 0o755);
  port = await freePort();
  mkdirSync(join(folder, "logs"));
  mkdirSync(join(folder, "shm"));
  const values = {
    ZM_WEB_USER: "www-data",
    ZM_WEB_GROUP: "www-data",
    ZM_DB_HOST: "localhost:/nowhere/socket",
    ZM_PATH_LOGS: join(folder, "logs"),
    ZM_PATH_MAP: join(folder, "shm"),
  };
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(join(folder, "zm.conf"), lines.join(""));
  if (process.getuid?.() === 0) giveToWebUser(folder);
});
afterEach(async () => {
  const gone = children.map((child) => (child.exitCode === null ? once(child, "close") : null));
  for (const child of children) child.kill();
  await Promise.all(gone);
  children = [];
  rmSync(folder, { recursive: true, force: true });
});

const target = () => join(folder, "etc/zmes.yml");
const places = () => [
  "--config",
  target(),
  "--data",
  join(folder, "data"),
  "--zm-conf",
  join(folder, "zm.conf"),
];
const environment = () => ({ ...process.env, ZMES_MADE_FILES: join(folder, "made-files"), NO_COLOR: "" });

function zmes(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number; out: string }>((resolve) => {
    const options = { env: { ...environment(), ...env }, timeout: 40_000 };
    execFile(program, [...argv], options, (failure, stdout, stderr) => {
      resolve({
        code: typeof failure?.code === "number" ? failure.code : failure ? -1 : 0,
        out: `${stdout}${stderr}`,
      });
    });
  });
}

/** On a terminal of its own (script(1)); gives what it showed so far. */
function onTerminal(argv: readonly string[]) {
  const line = [program, ...argv].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    env: environment(),
    stdio: ["pipe", "pipe", "pipe"],
  });
  children.push(child);
  let shown = "";
  child.stdout.on("data", (chunk) => (shown += String(chunk)));
  const ended = once(child, "close");
  return {
    shown: () => shown,
    ended,
    async answer(question: string, typed: string) {
      await vi.waitFor(() => expect(shown).toContain(question), { timeout: 15_000 });
      child.stdin.write(typed);
    },
  };
}

test("on a terminal it asks, takes the answers, and shows no password", async () => {
  const terminal = onTerminal(["setup", ...places(), "--port", String(port)]);
  await terminal.answer("Names and addresses", "localhost, 127.0.0.1\r");
  await terminal.answer("Which certificate", "1\r");
  await terminal.answer("Push to phones", "1\r");
  await terminal.answer("Publish alarms by MQTT", "y\r");
  await terminal.answer("The broker", "nonsense://x\r");
  await terminal.answer("please.", "127.0.0.1\r");
  await terminal.answer("Its user", "zm\r");
  await terminal.answer("Its password", "sec ret\r");
  await terminal.answer("built-in detector", "y\r");
  await terminal.ended;
  expect(terminal.shown()).toContain("zmes doctor says:");
  expect(terminal.shown()).not.toContain("sec ret");
  // Colours where a terminal shows them.
  expect(terminal.shown()).toContain("\u001b[32m");
  const { config, problems } = loadConfig({ path: target() });
  expect(problems).toEqual([]);
  expect(config.mqtt).toMatchObject({ enable: true, username: "zm", password: "sec ret" });
  expect(config.detection.enable).toBe(true);
});

test("Ctrl-C at a question leaves everything as it was", async () => {
  const terminal = onTerminal(["setup", ...places()]);
  await terminal.answer("Names and addresses", "\u0003");
  await terminal.ended;
  expect(terminal.shown()).toContain("Nothing was changed.");
  expect(existsSync(target())).toBe(false);
  expect(existsSync(join(folder, "data"))).toBe(false);
});

test("Ctrl-C while a certificate is made leaves no key of an authority in a temporary folder", async () => {
  const temporary = join(folder, "temporary");
  const programs = join(folder, "programs");
  for (const made of [temporary, programs]) mkdirSync(made);
  writeFileSync(join(programs, "openssl"), `#!/bin/sh\ntouch ${folder}/begun\nsleep 30\n`, { mode: 0o755 });
  const env = { ...environment(), TMPDIR: temporary, PATH: `${programs}:${process.env.PATH}` };
  const child = spawn(program, ["setup", "--yes", ...places()], { env, stdio: "ignore", detached: true });
  children.push(child);
  const ended = once(child, "close");
  await vi.waitFor(() => expect(existsSync(join(folder, "begun"))).toBe(true), { timeout: 20_000 });
  expect(readdirSync(temporary)).toHaveLength(1);
  // As a terminal does: to every process of the command.
  process.kill(-(child.pid ?? Number.NaN), "SIGINT");
  await ended;
  expect(readdirSync(temporary)).toEqual([]);
  expect(existsSync(target())).toBe(false);
});

test("without a terminal and without --yes it says so, and changes nothing", async () => {
  const { code, out } = await zmes(["setup", ...places()]);
  expect(code).toBe(2);
  expect(out).toContain("--yes");
  expect(existsSync(target())).toBe(false);
});

test("with --yes: the server starts, a client that knows the authority gets in, and doctor finds it", async () => {
  const made = await zmes(["setup", "--yes", ...places(), "--port", String(port), "--name", "127.0.0.1"]);
  expect(made.code).toBe(0);
  const server = spawn(program, ["run", "--config", target()], { env: environment(), stdio: "ignore" });
  children.push(server);
  const ca = readFileSync(join(folder, "etc/zmes-ca.crt"));
  await vi.waitFor(() => connects(ca), { timeout: 20_000, interval: 200 });
  await expect(connects(undefined)).rejects.toThrow(/certificate/);

  const { code, out } = await zmes([
    "doctor",
    "--config",
    target(),
    "--json",
    "--url",
    `wss://127.0.0.1:${port}`,
  ]);
  const report = JSON.parse(out);
  // The database is away.
  expect(code).toBe(1);
  expect(report.ok).toBe(false);
  const levels = Object.fromEntries(
    report.checks.map(({ check, level }: { check: string; level: string }) => [check, level]),
  );
  expect(levels).toMatchObject({
    zoneminder: "ok",
    configuration: "ok",
    certificate: "ok",
    "data-directory": "ok",
    "token-file": "ok",
    database: "problem",
    push: "warning",
    port: "ok",
    "self-test": "ok",
  });
  const own = await zmes(["doctor", "--config", target()]);
  expect(own.out).toMatch(/Self-test +ok +Name/);
  expect(own.out).not.toContain("\u001b[");
});

test("doctor tries the key of a service account at Google, and sends nothing", async () => {
  const google = await startGoogle();
  try {
    const ca = join(folder, "google.pem");
    writeFileSync(ca, google.ca);
    const key = join(folder, "firebase.json");
    writeFileSync(key, readFileSync(google.keyFile));
    writeFileSync(join(folder, "zmes.yml"), configWith(key));
    if (process.getuid?.() === 0) giveToWebUser(folder);
    const doctor = async () => {
      const { out } = await zmes(["doctor", "--config", join(folder, "zmes.yml"), "--json"], {
        NODE_EXTRA_CA_CERTS: ca,
      });
      const { checks } = JSON.parse(out);
      return checks.find(({ check }: { check: string }) => check === "push").findings[0];
    };
    expect(await doctor()).toMatchObject({
      level: "ok",
      text: expect.stringContaining("accepts the service account"),
    });
    google.tokenAnswer = {
      status: 400,
      body: '{"error":"invalid_grant","error_description":"Invalid JWT Signature."}',
    };
    const refused = await doctor();
    expect(refused).toMatchObject({
      level: "problem",
      text: expect.stringContaining("Invalid JWT Signature"),
    });
    expect(google.counts.messages).toBe(0);
  } finally {
    await google.stop();
  }
});

test("doctor says where it does not understand what it is told", async () => {
  expect((await zmes(["doctor", "--jsno"])).code).toBe(2);
  const { code, out } = await zmes(["doctor", "--url", "wss://user:pass@zm.example.org"]);
  expect(code).toBe(2);
  expect(out).not.toContain("pass@");
});

function configWith(key: string): string {
  const zoneminder = `zoneminder:\n  config: ${join(folder, "zm.conf")}\n`;
  return `${zoneminder}general:\n  base_data_path: ${folder}\nssl:\n  enable: no\nfcm:\n  fcm_service_account_file: ${key}\n`;
}

function connects(ca: Buffer | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}`, ca === undefined ? {} : { ca });
    socket.on("open", () => {
      socket.close();
      resolve();
    });
    socket.on("error", reject);
  });
}
