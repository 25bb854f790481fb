// `zmes listen` against small real servers: what it sends, what it prints, how it ends.
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { parseAddress } from "../../src/cli/listen/options.ts";
import { alarmLine } from "../../src/cli/listen/texts.ts";
import { listen } from "../../src/cli/listen.ts";
import { type TestIo, testIo } from "../support/command-io.ts";
import { eventually } from "../support/eventually.ts";

const certificate = new URL("../fixtures/tls/localhost.crt", import.meta.url).pathname;
const key = new URL("../fixtures/tls/localhost.key", import.meta.url).pathname;

interface TinyServer {
  readonly port: number;
  /** Messages received, in order, of all connections. */
  readonly received: Record<string, unknown>[];
  readonly sockets: readonly WebSocket[];
  alarm(event: Record<string, unknown>): void;
  close(): Promise<void>;
}

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Speaks just enough of the protocol: answers a login, remembers the rest. */
async function tinyServer(
  options: {
    tls?: boolean;
    password?: string;
    port?: number;
    host?: string;
    reason?: string;
    monitors?: object;
  } = {},
): Promise<TinyServer> {
  const http = options.tls
    ? createHttpsServer({ cert: readFileSync(certificate), key: readFileSync(key) })
    : createHttpServer();
  const wss = new WebSocketServer({ server: http });
  const received: Record<string, unknown>[] = [];
  const sockets: WebSocket[] = [];
  wss.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString());
      received.push(message);
      if (message.data.type === "monitors" && options.monitors) socket.send(JSON.stringify(options.monitors));
      if (message.event !== "auth") return;
      const good = message.data.password === (options.password ?? "secret");
      socket.send(
        JSON.stringify(
          good
            ? { event: "auth", type: "", status: "Success", reason: "", version: "8.0.0" }
            : { event: "auth", type: "", status: "Fail", reason: options.reason ?? "BADAUTH" },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of wss.clients) socket.terminate();
      http.close(() => resolve());
    });
  closers.push(close);
  return {
    port: (http.address() as AddressInfo).port,
    received,
    sockets,
    alarm(event) {
      for (const socket of wss.clients) socket.send(alarmFrame(event));
    },
    close,
  };
}

const alarmFrame = (event: Record<string, unknown>) =>
  JSON.stringify({ event: "alarm", type: "", status: "Success", events: [event] });
const garage = { Name: "Garage", MonitorId: "2", EventId: "5060", Cause: "Motion All" };

/** Starts the command; the test waits on what it prints. */
function start(argv: readonly string[], io: TestIo = testIo({ ZMES_PASSWORD: "secret" })) {
  closers.push(() => io.interrupt());
  return { io, done: listen.run(argv, io) };
}
const connected = (io: TestIo) => eventually(() => expect(io.err()).toContain("Connected to"));

test("prints an alarm on one line as people read it", async () => {
  const server = await tinyServer();
  const { io, done } = start([`ws://127.0.0.1:${server.port}`, "--user", "ann"]);
  await connected(io);
  server.alarm(garage);
  await eventually(() =>
    expect(io.out()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} Garage \(monitor 2\): Motion All, event 5060\n$/),
  );
  io.interrupt();
  expect(await done).toBe(0);
});

test("logs in with the name, the password of the environment and both lists", async () => {
  const server = await tinyServer();
  const { io } = start([
    `ws://127.0.0.1:${server.port}`,
    "--user=ann",
    "--monitors",
    "1, 2",
    "--intervals=0,60",
  ]);
  await connected(io);
  await eventually(() => expect(server.received).toHaveLength(3));
  expect(server.received).toEqual([
    { event: "auth", data: { user: "ann", password: "secret", monlist: "1,2", intlist: "0,60" } },
    { event: "control", data: { type: "filter", monlist: "1,2", intlist: "0,60" } },
    { event: "control", data: { type: "monitors" } },
  ]);
});

const twoMonitors = {
  event: "control",
  type: "monitors",
  status: "Success",
  reason: "",
  monitors: [
    { MonitorId: "2", Name: "Garage" },
    { MonitorId: "14", Name: "Front door" },
  ],
};
const listenTo = (server: TinyServer, monitors: string) =>
  start([`ws://127.0.0.1:${server.port}`, "--user", "ann", "--monitors", monitors]);

test("a monitor that the server does not tell ann of is named, and the others are listened to", async () => {
  const server = await tinyServer({ monitors: twoMonitors });
  const { io, done } = listenTo(server, "2,99");
  await eventually(() =>
    expect(io.err()).toContain(
      "No alarms can come from monitor 99: the server watches none of that number, or ann may not see it in ZoneMinder. " +
        "There are: 2 Garage, 14 Front door.\n",
    ),
  );
  server.alarm(garage);
  await eventually(() => expect(io.out()).toContain("Garage (monitor 2)"));
  io.interrupt();
  expect(await done).toBe(0);
});

test("with none of the monitors that were asked for, it ends with 1 instead of waiting for ever", async () => {
  const server = await tinyServer({ monitors: twoMonitors });
  const { io, done } = listenTo(server, "98,99");
  expect(await done).toBe(1);
  expect(io.err()).toContain("No alarms can come from monitors 98, 99:");
});

test("a user who may see no monitor at all is told that", async () => {
  const server = await tinyServer({ monitors: { ...twoMonitors, monitors: [] } });
  const { io, done } = listenTo(server, "99");
  expect(await done).toBe(1);
  expect(io.err()).toContain("There is none that ann may see.");
});

test("a server that does not know its monitors yet is listened to", async () => {
  const server = await tinyServer({
    monitors: { event: "control", type: "monitors", status: "Fail", reason: "NOTKNOWN" },
  });
  const { io } = listenTo(server, "2");
  await eventually(() => expect(server.received).toHaveLength(3));
  server.alarm(garage);
  await eventually(() => expect(io.out()).toContain("Garage (monitor 2)"));
  expect(io.err()).not.toContain("No alarms");
});

test("--json prints each event as it came, one object per line, with the moment", async () => {
  const server = await tinyServer();
  const { io } = start([`ws://127.0.0.1:${server.port}`, "--user", "ann", "--json"]);
  await connected(io);
  server.alarm({ ...garage, DetectionJson: [], Late: "true" });
  server.alarm({ ...garage, Name: "Garáž" });
  await eventually(() => expect(io.out().split("\n")).toHaveLength(3));
  const [first, second] = io.out().split("\n");
  expect(JSON.parse(first ?? "")).toEqual({
    ReceivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    ...garage,
    DetectionJson: [],
    Late: "true",
  });
  expect(JSON.parse(second ?? "").Name).toBe("Garáž");
});

test("what a server sends never reaches the terminal as a command", async () => {
  const server = await tinyServer();
  const { io } = start([`ws://127.0.0.1:${server.port}`, "--user", "ann", "--json"]);
  await connected(io);
  server.alarm({ ...garage, Name: "\u001b[2J\u009b2J\u007f" });
  await eventually(() => expect(io.out()).toContain("\\u001b[2J\\u009b2J\\u007f"));
  const refusing = await tinyServer({ password: "other", reason: "\u001b[2J\u009b2J" });
  const refused = start([`ws://127.0.0.1:${refusing.port}`, "--user", "ann"]);
  expect(await refused.done).toBe(1);
  expect(refused.io.err()).toContain("(?[2J?2J)");
});

test("--count ends after so many alarms", async () => {
  const server = await tinyServer();
  const { io, done } = start([`ws://127.0.0.1:${server.port}`, "--user", "ann", "--count", "2"]);
  await connected(io);
  for (const id of ["1", "2", "3"]) server.alarm({ ...garage, EventId: id });
  expect(await done).toBe(0);
  expect(io.out().trim().split("\n")).toHaveLength(2);
});

test("comes back after the connection was lost", async () => {
  const server = await tinyServer();
  const { io } = start([`ws://127.0.0.1:${server.port}`, "--user", "ann"]);
  await connected(io);
  server.sockets[0]?.terminate();
  await eventually(() => expect(server.sockets).toHaveLength(2));
  await eventually(() => expect(io.err().match(/Connected to/g)).toHaveLength(2));
  server.alarm(garage);
  await eventually(() => expect(io.out()).toContain("event 5060"));
  expect(io.err()).toContain("The connection was lost. Trying again in");
});

test("keeps trying while nothing listens yet, and says so", async () => {
  const gone = await tinyServer();
  await gone.close();
  const { io } = start([`ws://127.0.0.1:${gone.port}`, "--user", "ann"]);
  await eventually(() => expect(io.err()).toContain(`Nothing listens on 127.0.0.1:${gone.port}`));
  await tinyServer({ port: gone.port });
  await eventually(() => expect(io.err()).toContain("Connected to"));
});

test("--no-reconnect ends with 1 when the connection is lost", async () => {
  const server = await tinyServer();
  const { io, done } = start([`ws://127.0.0.1:${server.port}`, "--user", "ann", "--no-reconnect"]);
  await connected(io);
  server.sockets[0]?.close(1001);
  expect(await done).toBe(1);
  expect(io.err()).toContain("The server is stopping or restarting.");
});

test("a wrong password is final: message, no second try, 1, and the password is not shown", async () => {
  const server = await tinyServer();
  const { io, done } = start(
    [`ws://127.0.0.1:${server.port}`, "--user", "ann"],
    testIo({ ZMES_PASSWORD: "wr0ng!" }),
  );
  expect(await done).toBe(1);
  expect(io.err()).toContain("does not accept this user name and password (BADAUTH)");
  expect(io.err()).not.toContain("wr0ng!");
  expect(server.sockets).toHaveLength(1);
});

describe("TLS", () => {
  test("a certificate that is not trusted is refused, naming --ca and --insecure", async () => {
    const server = await tinyServer({ tls: true });
    const { io, done } = start([`wss://localhost:${server.port}`, "--user", "ann"]);
    expect(await done).toBe(1);
    expect(io.err()).toMatch(/is not trusted.*--ca FILE.*--insecure/);
  });

  test("--ca trusts a self-signed certificate", async () => {
    const server = await tinyServer({ tls: true });
    const { io } = start([`wss://localhost:${server.port}`, "--user", "ann", "--ca", certificate]);
    await connected(io);
  });

  test("--insecure accepts any certificate, and an address without scheme means wss", async () => {
    const server = await tinyServer({ tls: true });
    const { io } = start([`127.0.0.1:${server.port}`, "--user", "ann", "--insecure"]);
    await connected(io);
  });

  test("ws against a TLS port says to use wss", async () => {
    const server = await tinyServer({ tls: true });
    const { io, done } = start([`ws://localhost:${server.port}`, "--user", "ann"]);
    expect(await done).toBe(1);
    expect(io.err()).toContain(`speaks TLS: use wss://localhost:${server.port}`);
  });

  test("wss against a clear-text port says to use ws", async () => {
    const server = await tinyServer();
    const { io, done } = start([`wss://localhost:${server.port}`, "--user", "ann"]);
    expect(await done).toBe(1);
    expect(io.err()).toContain(`use ws://localhost:${server.port}`);
  });

  test("a certificate for another name is refused with that reason", async () => {
    const server = await tinyServer({ tls: true, host: "127.0.0.2" });
    const { io, done } = start([`wss://127.0.0.2:${server.port}`, "--user", "ann", "--ca", certificate]);
    expect(await done).toBe(1);
    expect(io.err()).toContain("is made out to another name");
  });
});

test("something that is no WebSocket server is named as that", async () => {
  const http = createHttpServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise((resolve) => http.close(() => resolve())));
  const { io, done } = start([`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, "--user", "ann"]);
  expect(await done).toBe(1);
  expect(io.err()).toContain("not as a WebSocket server (HTTP 404)");
});

test.each([
  [[], "the address of the server is missing"],
  [["ws://localhost:1"], "--user NAME is missing"],
  [["ws://localhost:1", "extra", "--user", "ann"], '"extra" is too much'],
  [["ftp://localhost", "--user", "ann"], "use ws:// or wss://"],
  [["ws://ann:pw@localhost", "--user", "ann"], "do not belong in the address"],
  [["ws://localhost:99999", "--user", "ann"], "is not an address"],
  [["localhost", "--user", "ann", "--monitors", "1,x"], "--monitors takes numbers"],
  [["localhost", "--user", "ann", "--intervals", "5"], "belong to the monitors"],
  [["localhost", "--user", "ann", "--ca", "/nowhere.pem"], "cannot read /nowhere.pem"],
  [["localhost", "--user", "ann", "--colour"], "--colour"],
])("a wrong call %j is refused with the reason", async (argv, reason) => {
  const io = testIo({ ZMES_PASSWORD: "secret" });
  expect(await listen.run(argv, io)).toBe(2);
  expect(io.err()).toContain(reason);
  expect(io.err()).toContain("zmes listen --help");
});

test("without a terminal and without ZMES_PASSWORD it says which variable is missing", async () => {
  const io = testIo();
  expect(await listen.run(["localhost", "--user", "ann"], io)).toBe(2);
  expect(io.err()).toContain("ZMES_PASSWORD");
});

test("asks for the password on a terminal, without showing it", async () => {
  const server = await tinyServer({ password: "pässword" });
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => modes.push(raw),
  });
  const io = { ...testIo(), stdin };
  start([`ws://127.0.0.1:${server.port}`, "--user", "ann"], io);
  stdin.write("pässworX\u007fd\r");
  await connected(io);
  expect(io.err()).toContain("Password of ann: ");
  expect(io.err() + io.out()).not.toContain("pässword");
  expect(modes).toEqual([true, false]);
});

test("Ctrl-C at the password prompt ends the command without a word", async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const io = { ...testIo(), stdin };
  const { done } = start(["localhost", "--user", "ann"], io);
  stdin.write("\u0003");
  expect(await done).toBe(1);
  expect(io.err()).not.toContain("ZMES_PASSWORD");
});

test("an alarm without an event, without a cause or found late is told in words", () => {
  const clock = { now: () => Date.UTC(2026, 0, 1), monotonic: () => 0 };
  const line = (event: object) => alarmLine({ ...garage, Late: undefined, ...event }, clock).slice(13);
  expect(line({ EventId: "0" })).toBe("Garage (monitor 2): Motion All, no event\n");
  expect(line({ Cause: "" })).toBe("Garage (monitor 2): Alarm, event 5060\n");
  expect(line({ Late: "true" })).toBe("Garage (monitor 2): Motion All, event 5060 (late)\n");
});

test("control characters in a camera's name do not reach the terminal", () => {
  const clock = { now: () => 0, monotonic: () => 0 };
  expect(alarmLine({ ...garage, Name: "a\u001b[2Jb", Late: undefined }, clock)).toContain("a?[2Jb");
});

test("messages that are no alarms of ours are passed over", async () => {
  const server = await tinyServer();
  const { io } = start([`ws://127.0.0.1:${server.port}`, "--user", "ann"]);
  await connected(io);
  for (const odd of ["", "[1]", "null", '"x"', "{", '{"event":"alarm"}', '{"event":"alarm","events":[1]}']) {
    server.sockets[0]?.send(odd);
  }
  // Numbers for ids, as some servers of version 7 send them.
  server.alarm({ Name: "Yard", MonitorId: 3, EventId: 7, Cause: null });
  await eventually(() => expect(io.out()).toContain("Yard (monitor 3): Alarm, event 7"));
});

test.each([
  ["zm.example", "wss://zm.example:9000/"],
  ["zm.example:443", "wss://zm.example/"],
  ["192.168.1.5:9001", "wss://192.168.1.5:9001/"],
  ["[::1]", "wss://[::1]:9000/"],
  ["localhost:9000/es", "wss://localhost:9000/es"],
  ["ws://127.0.0.1:9000", "ws://127.0.0.1:9000/"],
  ["wss://zm.example/es", "wss://zm.example/es"],
  ["https://zm.example", "wss://zm.example/"],
  ["http://zm.example:9000", "ws://zm.example:9000/"],
])("the address %s is read as %s", (typed, meant) => {
  expect(parseAddress(typed).href).toBe(meant);
});
