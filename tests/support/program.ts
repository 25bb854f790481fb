/** The whole program as people start it: bin/zmes in a process of its own, on a free port, with a folder of its own. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { stringify } from "yaml";
import { freePort } from "./free-port.ts";
import { connect } from "./listener.ts";

export interface Program extends ProgramPlace {
  readonly url: string;
  /** Whether the process still runs. */
  isRunning(): boolean;
  /** Everything it wrote to its terminal. */
  output(): string;
  /** Ends it as a service manager does; gives its exit code. */
  stop(): Promise<number | null>;
}

/** Where the program and its files are; the web user can read all of it. */
export interface ProgramPlace {
  readonly folder: string;
  readonly data: string;
  readonly config: string;
  /** bin/zmes. */
  readonly command: string;
}

interface ProgramOptions {
  /** Makes a certificate for localhost. */
  readonly tls?: boolean;
  /** Two scripts, as text, that look at the begin and at the end of each event. */
  readonly hooks?: { readonly start: string; readonly end: string };
  /** More configuration, by sections. */
  readonly sections?: (folder: string) => Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What is to be there before it starts. */
  readonly prepare?: (place: ProgramPlace) => void;
}

/** Starts `zmes run` on the ZoneMinder of /etc/zm/zm.conf and waits until it lets clients in. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const { tls = false, hooks, prepare } = options;
  const folder = mkdtempSync(join(tmpdir(), "zmes-program-"));
  const port = await freePort();
  const config = join(folder, "zmes.yml");
  const ssl = tls ? makeCertificate(folder) : { enable: false };
  const data = join(folder, "data");
  mkdirSync(data);
  const usual: Record<string, Record<string, unknown>> = {
    general: { base_data_path: data },
    network: { port, address: "127.0.0.1" },
    ssl,
    zoneminder: { config: "/etc/zm/zm.conf" },
    // A test cannot wait a minute for the second alarm of an event.
    customize: {
      console_logs: true,
      repeat_cooldown: 0,
      include_picture: true,
      use_hooks: hooks !== undefined,
      send_event_end_notification: hooks !== undefined,
    },
    hook: hooks === undefined ? {} : writeHooks(folder, hooks),
    pictures: { public_url: `http${tls ? "s" : ""}://localhost:${port}` },
  };
  for (const [name, section] of Object.entries(options.sections?.(folder) ?? {}))
    usual[name] = { ...usual[name], ...section };
  writeFileSync(config, stringify(usual));
  const place = { folder, data, config, command: join(programFolder(folder), "bin/zmes") };
  prepare?.(place);
  giveToWebUser(folder);

  const child = spawn(place.command, ["run", "--config", config], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const gone = once(child, "close") as Promise<[number | null]>;
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const stop = async () => {
    if (isRunning()) child.kill("SIGTERM");
    const [code] = await gone;
    rmSync(folder, { recursive: true, force: true });
    return code;
  };

  const url = `${tls ? "wss" : "ws"}://localhost:${port}`;
  try {
    const ended = gone.then(([code]) => Promise.reject(new Error(`it ended with exit code ${code}`)));
    const answers = vi.waitFor(async () => (await connect(url)).close(), { timeout: 15_000, interval: 100 });
    await Promise.race([answers, ended]);
  } catch {
    await stop();
    throw new Error(`The program did not let clients in. It said:\n${output}`);
  }
  return { ...place, url, isRunning, output: () => output, stop };
}

function writeHooks(folder: string, hooks: NonNullable<ProgramOptions["hooks"]>): Record<string, unknown> {
  const [start, end] = [join(folder, "start.sh"), join(folder, "end.sh")];
  writeFileSync(start, hooks.start, { mode: 0o755 });
  writeFileSync(end, hooks.end, { mode: 0o755 });
  return {
    event_start_hook: start,
    event_end_hook: end,
    use_hook_description: true,
    event_start_notify_on_hook_success: "all",
    event_end_notify_on_hook_success: "all",
  };
}

/** Our checkout, or a copy of it where the web user cannot read it: people keep checkouts in /root. */
export function programFolder(folder: string): string {
  const checkout = join(import.meta.dirname, "../..");
  const asWebUser = ["-u", "www-data", "--", "test", "-r", join(checkout, "bin/zmes")];
  if (spawnSync("runuser", asWebUser).status === 0) return checkout;
  const copy = join(folder, "program");
  mkdirSync(copy);
  const parts = ["bin", "src", "package.json", "node_modules"].map((part) => join(checkout, part));
  execFileSync("cp", ["-a", ...parts, copy]);
  return copy;
}

/** The program gives up root and becomes the web user before it opens its files. */
export function giveToWebUser(folder: string): void {
  chmodSync(folder, 0o755);
  execFileSync("chown", ["-R", "www-data:www-data", folder]);
}

/** Makes a certificate for localhost in the folder; gives section `ssl` of the configuration. */
export function makeCertificate(folder: string): {
  readonly enable: true;
  readonly cert: string;
  readonly key: string;
} {
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const args = ["req", "-x509", "-nodes", "-days", "90", ...curve, ...subject, "-keyout", key, "-out", cert];
  execFileSync("openssl", args, { stdio: "ignore" });
  return { enable: true, cert, key };
}
