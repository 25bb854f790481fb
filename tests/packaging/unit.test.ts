/** The systemd unit: what it says is valid, what it forbids leaves hooks their freedom, and the program tells it the truth. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { connect } from "../support/listener.ts";
import { listenForNotices, type NotifySocket } from "../support/notify-socket.ts";
import { giveToWebUser, programFolder } from "../support/program.ts";

const text = readFileSync(join(import.meta.dirname, "../../packaging/zmes.service"), "utf8");
const settings = new Map(
  [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value] as const),
);
/** Linux lets only root make namespaces of mounts and become somebody else. */
const isRoot = process.getuid?.() === 0;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-unit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("systemd finds nothing wrong in it", () => {
  const file = join(folder, "zmes.service");
  writeFileSync(file, text.replace("/usr/bin/zmes run", "/bin/true"));
  const done = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
  expect(done.status).toBe(0);
  // It looks at all units of the machine as well.
  expect(done.stderr.split("\n").filter((line) => line.includes("zmes"))).toEqual([]);
});

test("nothing in it takes sudo away from hooks: no setting that implies NoNewPrivileges for a user (systemd.exec(5))", () => {
  const implying =
    /^(NoNewPrivileges|SystemCall\w+|RestrictAddressFamilies|RestrictNamespaces|RestrictSUIDSGID|RestrictRealtime|LockPersonality|MemoryDenyWriteExecute|PrivateDevices|ProtectKernel\w+|ProtectClock|ProtectHostname|DynamicUser)$/;
  expect([...settings.keys()].filter((name) => implying.test(name))).toEqual([]);
});

test("nothing in it hides shared memory or /tmp", () => {
  expect([...settings.keys()].filter((name) => /^Private(Tmp|IPC|Users)$|^RemoveIPC$/.test(name))).toEqual(
    [],
  );
  expect(settings.get("ProtectSystem")).toBe("full"); // "strict" would, too
});

test.runIf(isRoot)("a hook under its restrictions may do what hooks do, and cannot touch programs", () => {
  // What systemd does for ProtectSystem=full, ProtectHome=read-only and the rest, by the same means of the kernel.
  const dropped = (settings.get("CapabilityBoundingSet") ?? "")
    .replace("~", "")
    .split(" ")
    .map((name) => `-${name.replace("CAP_", "").toLowerCase()}`);
  const hook = `
    t() { if eval "$2" 2>/dev/null; then echo "$1 yes"; else echo "$1 no"; fi; }
    t tmp 'echo x >/tmp/zmes-hook-$$ && rm /tmp/zmes-hook-$$'
    t shm 'echo x >/dev/shm/zmes-hook-$$ && rm /dev/shm/zmes-hook-$$'
    t data 'echo x >${folder}/data/x'
    t private "[ $(stat -c %a ${folder}/data/x) = 640 ]"
    t devices '[ -c /dev/null ] && [ -r /dev/urandom ]'
    t setuid 'grep -q "^NoNewPrivs:.0$" /proc/self/status'
    t usr 'touch /usr/bin/zmes-hook'
    t etc 'touch /etc/zmes-hook'
    t core '[ "$(ulimit -c)" != 0 ]'`;
  const restrictions = `
    for name in usr etc boot home root; do
      mount --bind "/$name" "/$name" && mount -o remount,bind,ro "/$name"
    done
    umask ${settings.get("UMask")}
    ulimit -c ${settings.get("LimitCORE")}
    exec setpriv --reuid=www-data --regid=www-data --init-groups --bounding-set="$1" -- sh -c "$2"`;
  mkdirSync(join(folder, "data"));
  giveToWebUser(folder);
  const said = execFileSync(
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-euc", restrictions, "sh", dropped.join(","), hook],
    { encoding: "utf8" },
  );
  expect(
    Object.fromEntries(
      said
        .trim()
        .split("\n")
        .map((line) => line.split(" ")),
    ),
  ).toEqual({
    tmp: "yes",
    shm: "yes",
    data: "yes",
    private: "yes",
    devices: "yes",
    setuid: "yes",
    usr: "no",
    etc: "no",
    core: "no",
  });
});

describe("the program under a service manager", () => {
  let notices: NotifySocket | null = null;
  afterEach(() => notices?.close());

  /** Without a database: it is not waited for. */
  async function start() {
    const port = await freePort();
    const map = join(folder, "map");
    for (const name of [map, join(folder, "log"), join(folder, "data")]) mkdirSync(name);
    writeFileSync(
      join(folder, "zm.conf"),
      `ZM_DB_HOST=localhost:${folder}/none.sock\nZM_PATH_MAP=${map}\nZM_PATH_LOGS=${folder}/log\n`,
    );
    writeFileSync(
      join(folder, "zmes.yml"),
      `general: { base_data_path: ${folder}/data }
network: { port: ${port}, address: 127.0.0.1 }
ssl: { enable: no }
fcm: { enable: no }
zoneminder: { config: ${folder}/zm.conf }
`,
    );
    const program = programFolder(folder);
    if (isRoot) giveToWebUser(folder);
    const socket = join(folder, "notify");
    notices = await listenForNotices(socket);
    const env = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: "900000" };
    const child = spawn(join(program, "bin/zmes"), ["run", "--config", join(folder, "zmes.yml")], {
      env,
      stdio: "ignore",
    });
    return { child, url: `ws://127.0.0.1:${port}` };
  }

  const count = (message: string) => notices?.messages().filter((text) => text === message).length ?? 0;

  test("says READY when it lets clients in, lives while it scans, and says when it stops", async () => {
    const { child, url } = await start();
    const ended = once(child, "exit");
    try {
      await vi.waitFor(() => expect(count("READY=1")).toBe(1), 15_000);
      await (await connect(url)).close();
      await eventually(() => expect(count("WATCHDOG=1")).toBeGreaterThan(2));
    } finally {
      child.kill("SIGTERM");
      await ended;
    }
    await eventually(() => expect(notices?.messages().at(-1)).toBe("STOPPING=1"));
    expect(notices?.messages()[0]).toBe("READY=1");
    expect(child.exitCode).toBe(0);
  });
});
