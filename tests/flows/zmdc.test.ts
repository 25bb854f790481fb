/** ZoneMinder's own daemon manager starts, restarts and stops the program, in place of an original. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { connect, logIn } from "../support/listener.ts";
import { giveToWebUser, makeCertificate, programFolder } from "../support/program.ts";
import {
  BIN_FOLDER,
  cancelAlarm,
  down,
  forceAlarm,
  LOG_FOLDER,
  realZoneMinderMayBeSkipped,
  UP_MS,
  up,
  zmdc,
  zmpkg,
} from "../support/real-zoneminder.ts";

const FRONT_DOOR = 1; // alarms only when forced
const DAEMON = join(BIN_FOLDER, "zmeventnotification.pl");
const LOG = join(LOG_FOLDER, "zmeventnotification.log");
const ORIGINAL = "#!/usr/bin/perl\nsleep 1000;\n";

describe.skipIf(realZoneMinderMayBeSkipped())("started by zmdc.pl", () => {
  let folder = "";
  let program = "";
  let url = "";

  /** zmes with the same list of made files and configuration throughout. */
  function zmes(...args: string[]) {
    const env = {
      ...process.env,
      ZMES_CONFIG: join(folder, "zmes.yml"),
      ZMES_MADE_FILES: join(folder, "made"),
    };
    return spawnSync(join(program, "bin/zmes"), args, { encoding: "utf8", env, timeout: 20_000 });
  }

  /** Waits until zmdc.pl says that it runs and it lets clients in; gives its pid. */
  async function untilRunning(): Promise<number> {
    return vi.waitFor(
      async () => {
        await (await connect(url)).close();
        const status = await zmdc("status");
        expect(status).toMatch(/running since .* pid = \d+/);
        return Number(/pid = (\d+)/.exec(status)?.[1]);
      },
      { timeout: 20_000, interval: 200 },
    );
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "zmes-zmdc-"));
    program = programFolder(folder);
    const port = await freePort();
    url = `wss://localhost:${port}`;
    const config = {
      general: { base_data_path: join(folder, "data") },
      network: { port, address: "127.0.0.1" },
      ssl: makeCertificate(folder),
      fcm: { enable: false },
    };
    writeFileSync(join(folder, "zmes.yml"), stringify(config));
    giveToWebUser(folder);
    await up("package");
    writeFileSync(DAEMON, ORIGINAL, { mode: 0o755 });
    expect(zmes("install-daemon")).toMatchObject({ status: 0, stderr: "" });
    await zmpkg("restart", { ZMES_CONFIG: join(folder, "zmes.yml") });
  }, UP_MS);

  afterAll(async () => {
    await down();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it("runs under the original's name, with its streams settled and nothing blocked", async () => {
    const pid = await untilRunning();
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0]).toBe("zmeventnotification.pl");
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^SigBlk:\s*0+$/m);
  });

  it("tells a forced alarm over wss", async () => {
    await untilRunning();
    const client = await logIn(url, "admin", "admin");
    await forceAlarm(FRONT_DOOR);
    try {
      await vi.waitFor(() => expect(client.alarms(FRONT_DOOR)).toHaveLength(1), 15_000);
    } finally {
      await cancelAlarm(FRONT_DOOR);
      await client.close();
    }
  });

  it("goes on through a log rotation, in a new file", async () => {
    const pid = await untilRunning();
    renameSync(LOG, `${LOG}.1`);
    await zmpkg("logrot");
    await eventually(async () => {
      await (await connect(url)).close(); // leaves a line
      expect(existsSync(LOG)).toBe(true);
    });
    expect(await untilRunning()).toBe(pid);
  });

  it("makes a second one leave that says who is there", async () => {
    const pid = await untilRunning();
    const second = zmes("run");
    expect(second.status).toBe(3);
    expect(second.stderr).toContain(`process ${pid}`);
  });

  it("is another process after zmdc.pl restart", async () => {
    const before = await untilRunning();
    await zmdc("restart");
    await vi.waitFor(async () => expect(await untilRunning()).not.toBe(before), 20_000);
    expect(existsSync(`/proc/${before}`)).toBe(false);
  });

  it("ends within two seconds with ZoneMinder and leaves no process behind", async () => {
    const pid = await untilRunning();
    await zmpkg("stop");
    const took = await eventually(() => lastTime("exited normally") - lastTime("sending stop"));
    expect(took).toBeGreaterThanOrEqual(0);
    expect(took).toBeLessThan(2);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    // TASK_COMM_LEN: fifteen characters.
    expect(spawnSync("pgrep", ["-x", "zmeventnotifica"]).status).toBe(1);
  });

  it("gives its place back to the original", () => {
    expect(zmes("install-daemon", "--uninstall").status).toBe(0);
    expect(readFileSync(DAEMON, "utf8")).toBe(ORIGINAL);
    expect(readFileSync(join(folder, "made"), "utf8")).toBe("");
  });
});

/** When zmdc.pl last noted this of the daemon, in seconds of the day. */
function lastTime(what: string): number {
  const lines = readFileSync(join(LOG_FOLDER, "zmdc.log"), "utf8").split("\n");
  const line = lines.findLast((text) => text.includes(`['zmeventnotification.pl' ${what}`));
  const [, hours, minutes, seconds] = / (\d\d):(\d\d):(\d\d\.\d+) /.exec(line ?? "") ?? [];
  if (seconds === undefined) throw new Error(`zmdc.pl has not noted "${what}"`);
  return (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
}
