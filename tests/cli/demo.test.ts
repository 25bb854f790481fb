// `zmes demo` as a process of its own: what it promises on the terminal, and that it leaves nothing behind.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { parseDemoOptions } from "../../src/cli/demo/options.ts";
import { deliveryLine, demoBanner, programsFrom } from "../../src/cli/demo/texts.ts";
import { eventually } from "../support/eventually.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

const running: Program[] = [];
afterEach(async () => {
  // Asked to end, not killed: a killed one could not remove its folder.
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGTERM");
    await ended;
  }
});

interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | null>;
  out(): string;
  err(): string;
}

function zmes(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(process.execPath, [main, ...argv], { env: { ...process.env, ...env } });
  let out = "";
  let err = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    err += data;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const program = { child, ended, out: () => out, err: () => err };
  running.push(program);
  return program;
}

async function startedDemo(...argv: string[]): Promise<Program & { url: string; password: string }> {
  const program = zmes(["demo", "--port", "0", ...argv]);
  await vi.waitFor(() => expect(program.out()).toContain("as they are delivered"), 15_000);
  const [, url = ""] = /URL +(\S+)/.exec(program.out()) ?? [];
  const [, password = ""] = /password +(\S+)/.exec(program.out()) ?? [];
  return { ...program, url, password };
}

const foldersOf = (pid: number | undefined) =>
  ["/dev/shm", tmpdir()].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.startsWith(`zmes-demo-${pid}-`)),
  );
const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

test("the signals that change the verbosity of ZoneMinder's programs neither end it nor open a debugger", async () => {
  const demo = await startedDemo("--every", "0.5");
  demo.child.kill("SIGUSR1");
  demo.child.kill("SIGUSR2");
  const told = demo.out().length;
  await eventually(() => expect(demo.out().length).toBeGreaterThan(told + 200));
  expect(demo.err()).toBe("");
  demo.child.kill("SIGTERM");
  expect(await demo.ended).toBe(0);
});

test("prints how to connect, and its own client then gets the alarms", async () => {
  const demo = await startedDemo("--every", "0.5", "--monitors", "2");
  expect(demo.out()).toContain("2 cameras: Front Door, Garage");
  expect(demo.out()).toContain(`ZMES_PASSWORD=${demo.password} bin/zmes listen ${demo.url} --user demo`);
  const listener = zmes(["listen", demo.url, "--user", "demo", "--json", "--count", "2"], {
    ZMES_PASSWORD: demo.password,
  });
  expect(await listener.ended).toBe(0);
  const alarms = listener
    .out()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(alarms).toHaveLength(2);
  expect(alarms[0]).toMatchObject({
    EventId: expect.stringMatching(/^\d+$/),
    Cause: expect.stringMatching(/^Motion:/),
  });
  await eventually(() => expect(demo.out()).toMatch(/event \d+ - \d+\.\d ms after the alarm, 1 client/));
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s ends it within 2 s: port closed, folder gone, exit 0",
  async (signal) => {
    const demo = await startedDemo("--every", "0.3");
    const port = Number(new URL(demo.url).port);
    expect(await isOpen(port)).toBe(true);
    expect(foldersOf(demo.child.pid)).toHaveLength(1);
    const before = performance.now();
    demo.child.kill(signal);
    demo.child.kill(signal);
    expect(await demo.ended).toBe(0);
    expect(performance.now() - before).toBeLessThan(2000);
    expect(foldersOf(demo.child.pid)).toEqual([]);
    expect(await isOpen(port)).toBe(false);
    expect(demo.out()).toContain("nothing is left behind");
    expect(demo.err()).toBe("");
  },
);

test("a busy port is named, with the option that helps, and no folder stays", async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, "127.0.0.1", () => {
      const address = taken.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    }),
  );
  const demo = zmes(["demo", "--port", String(port)]);
  expect(await demo.ended).toBe(1);
  expect(demo.err()).toContain(`Port ${port}`);
  expect(demo.err()).toContain("--port");
  expect(demo.err()).not.toContain("network.port");
  expect(foldersOf(demo.child.pid)).toEqual([]);
  taken.close();
});

test("a reader that goes away ends the listening client quietly", async () => {
  const demo = await startedDemo("--every", "0.3");
  const listener = zmes(["listen", demo.url, "--user", "demo"], { ZMES_PASSWORD: demo.password });
  await eventually(() => expect(listener.out()).toContain("event"));
  listener.child.stdout.destroy();
  expect(await listener.ended).toBe(0);
  expect(listener.err()).not.toContain("EPIPE");
});

test.each([
  [["--monitors", "0"], "--monitors takes a whole number from 1 to 1000"],
  [["--monitors", "2.5"], "--monitors takes a whole number"],
  [["--every", "0"], "--every takes a number from 0.2 to 3600"],
  [["--every=-1"], "--every takes a number"],
  [["--port", "65536"], "--port takes a whole number from 0 to 65535"],
  [["--port", "9000x"], '"9000x"'],
  [["--color"], "--color"],
  [["extra"], "extra"],
])("the options %j are refused", (argv, reason) => {
  expect(() => parseDemoOptions(argv)).toThrow(reason);
});

test("without options: four cameras, every five seconds, port 9000", () => {
  expect(parseDemoOptions([])).toEqual({ monitors: 4, everyMs: 5000, port: 9000 });
});

test("many cameras do not flood the screen", () => {
  const access = { url: "ws://127.0.0.1:9000", user: "demo", password: "x" };
  const names = Array.from({ length: 300 }, (_, index) => `Camera ${index}`);
  expect(demoBanner(access, names, 5000, programsFrom("/opt/zmes", "/opt/zmes", true))).toContain(
    "300 cameras: Camera 0, Camera 1, Camera 2, Camera 3, Camera 4, Camera 5, ...",
  );
});

test("a delivered alarm is one line with its moment, its camera and its delay", () => {
  const line = deliveryLine({
    at: 0,
    camera: "Yard",
    monitor: 3,
    cause: "Motion:All",
    eventId: 7,
    clients: 2,
    latencyMs: 6.04,
  });
  expect(line.slice(13)).toBe("Yard (monitor 3): Motion:All, event 7 - 6.0 ms after the alarm, 2 clients\n");
});

test("in a checkout the commands to copy are short", () => {
  expect(programsFrom("/opt/zmes", "/opt/zmes", true)).toEqual({
    where: "In another terminal, in this folder",
    zmes: "bin/zmes",
    wscat: "node_modules/.bin/wscat",
    onFreePort: "npm run demo -- --port 0",
  });
});

test("from anywhere else they work as well, without what only a checkout brings", () => {
  expect(programsFrom("/usr/lib/zmes", "/home/ann", false)).toEqual({
    where: "In another terminal",
    zmes: "/usr/lib/zmes/bin/zmes",
    wscat: "npx wscat",
    onFreePort: "zmes demo --port 0",
  });
});
