// A private nginx for tests: own folder, own configuration, a free port on 127.0.0.1. Never the system's one.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeCertificate } from "./certificates.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

/** Where Debian puts it; it is often not on PATH. */
const FOLDERS = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];

export interface Nginx {
  readonly port: number;
  stop(): Promise<void>;
}

/** True when tests that need nginx may be left out: it is not installed and ZMES_TEST_SKIP_SERVICES=1 allows it. */
export function nginxMayBeSkipped(): boolean {
  const skip = process.env.ZMES_TEST_SKIP_SERVICES === "1" && findNginx() === null;
  if (skip)
    console.warn("SKIPPED: nginx is not installed (ZMES_TEST_SKIP_SERVICES=1 allows leaving this out.)");
  return skip;
}

/** `inside`: what stands inside its one `server` block, which has a certificate for localhost. */
export async function startNginx(inside: string): Promise<Nginx> {
  const program = findNginx();
  if (program === null) throw new Error("This test needs nginx (Debian: apt install nginx).");
  const folder = mkdtempSync(join(tmpdir(), "zmes-nginx-"));
  const certificate = makeCertificate();
  const port = await freePort();
  const log = join(folder, "error.log");
  writeFileSync(join(folder, "nginx.conf"), configText({ ...certificate, folder, log, port, inside }));
  const child = spawn(program, ["-p", folder, "-e", log, "-c", join(folder, "nginx.conf")], {
    stdio: "ignore",
  });
  const stop = async () => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (isRunning && child.kill("SIGTERM")) await gone;
    certificate.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await eventually(() => answers(port, child));
  } catch {
    const words = existsSync(log) ? readFileSync(log, "utf8") : "";
    await stop();
    throw new Error(`nginx did not start. It said:\n${words}`);
  }
  return { port, stop };
}

function findNginx(): string | null {
  return FOLDERS.map((folder) => join(folder, "nginx")).find((file) => existsSync(file)) ?? null;
}

interface Layout {
  readonly folder: string;
  readonly log: string;
  readonly port: number;
  readonly inside: string;
  readonly cert: string;
  readonly key: string;
}

function configText({ folder, log, port, inside, cert, key }: Layout): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  // As another user it could not read the folder of the test.
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  return `${user}daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${log};
events {}
http {
access_log off;
${temporary.join("\n")}
server {
listen 127.0.0.1:${port} ssl;
ssl_certificate ${cert};
ssl_certificate_key ${key};
${inside}
}
}
`;
}

function answers(port: number, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    if (child.exitCode !== null) reject(new Error("it has ended"));
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
