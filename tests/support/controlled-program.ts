// The whole program in a process of its own, with cameras that are not there and a database that does not answer.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { stringify } from "yaml";
import { createSimulatedCamera, type SimulatedCamera } from "../../src/demo/simulated-camera.ts";
import { freePort } from "./free-port.ts";
import { connectClient, type TestClient } from "./ws-client.ts";

type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface ControlledProgram {
  readonly folder: string;
  readonly camera: SimulatedCamera;
  readonly configFile: string;
  /** Everything it wrote to its terminal and its log file. */
  output(): string;
  write(sections: Sections): void;
  writeText(text: string): void;
  signal(name: NodeJS.Signals): void;
  /** Waits for its end; gives its exit code. */
  gone(): Promise<number | null>;
  /** Starts it again, after it is gone. */
  again(): Promise<void>;
  pid(): number;
  url(): string;
  /** Logs in as anybody: logins are not checked. */
  listen(port?: number): Promise<TestClient>;
  /** Logs in to control it. */
  control(port?: number): Promise<TestClient>;
}

export const PASSWORD = "planted-control-word";

/** Starts it on a free port. It is ended, and its folder removed, when the test is over. */
export async function startControlled(
  sections: Sections = {},
  args: readonly string[] = [],
): Promise<ControlledProgram> {
  const folder = mkdtempSync(join(tmpdir(), "zmes-controlled-"));
  const port = await freePort();
  const map = join(folder, "map");
  const logs = join(folder, "logs");
  for (const each of [map, logs]) mkdirSync(each);
  const camera = createSimulatedCamera({ directory: map, id: 1 });
  camera.create();
  const conf = join(folder, "zm.conf");
  const user = userInfo().username;
  const database = "ZM_DB_HOST=127.0.0.1:1\nZM_DB_NAME=zm\nZM_DB_USER=zm\nZM_DB_PASS=planted-database-word\n";
  writeFileSync(
    conf,
    `ZM_PATH_MAP=${map}\nZM_PATH_LOGS=${logs}\nZM_WEB_USER=${user}\nZM_WEB_GROUP=${user}\n${database}`,
  );
  const configFile = join(folder, "zmes.yml");
  const secrets = "secrets:\n  CONTROL: planted-control-word\n  BROKER: planted-broker-word\n";
  writeFileSync(join(folder, "secrets.yml"), secrets);
  const program: ControlledProgram = {
    folder,
    camera,
    configFile,
    output: () => `${output}${logFile(logs)}`,
    write: (changed) => writeFileSync(configFile, stringify(complete(changed))),
    writeText: (text) => writeFileSync(configFile, text),
    signal: (name) => void child.kill(name),
    gone: async () => {
      if (child.exitCode === null && child.signalCode === null) await once(child, "close");
      return child.exitCode;
    },
    async again() {
      child = launch();
      await ready();
    },
    pid: () => child.pid ?? 0,
    url: () => `ws://127.0.0.1:${port}`,
    async listen(on = port) {
      const client = await connectClient(`ws://127.0.0.1:${on}`);
      client.send({ event: "auth", data: { user: "anybody", password: "" } });
      await client.next();
      return client;
    },
    async control(on = port) {
      const client = await connectClient(`ws://127.0.0.1:${on}`);
      client.send({ event: "auth", category: "escontrol", data: { password: PASSWORD } });
      await client.next();
      return client;
    },
  };
  let output = "";
  program.write(sections);
  let child = launch();
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await program.gone();
    rmSync(folder, { recursive: true, force: true });
  });
  await ready();
  return program;

  function launch() {
    const main = join(import.meta.dirname, "../../src/main.ts");
    const words = ["--disable-warning=ExperimentalWarning", main, "run", "--config", configFile, ...args];
    const started = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (chunk) => {
        output += String(chunk);
      });
    return started;
  }

  async function ready(): Promise<void> {
    const connected = async () => (await connectClient(`ws://127.0.0.1:${port}`)).close();
    await vi.waitFor(connected, { timeout: 15_000, interval: 50 }).catch(() => {
      throw new Error(`The program did not let clients in. It said:\n${output}`);
    });
  }

  function complete(changed: Sections): Record<string, unknown> {
    const base: Record<string, Record<string, unknown>> = {
      general: {
        base_data_path: join(folder, "data"),
        secrets: join(folder, "secrets.yml"),
        use_escontrol_interface: true,
        escontrol_interface_password: "!CONTROL",
      },
      network: { port, address: "127.0.0.1" },
      auth: { enable: false },
      ssl: { enable: false },
      fcm: { enable: false, token_file: join(folder, "data/tokens.txt") },
      mqtt: { password: "!BROKER" },
      zoneminder: { config: conf },
      customize: { console_logs: true, repeat_cooldown: 0 },
    };
    for (const [section, keys] of Object.entries(changed)) base[section] = { ...base[section], ...keys };
    return base;
  }
}

function logFile(folder: string): string {
  try {
    return readFileSync(join(folder, "zmeventnotification.log"), "utf8");
  } catch {
    return "";
  }
}
