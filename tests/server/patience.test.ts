import { connect, createServer as createNetServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { createAddressCounter } from "../../src/server/address-counter.ts";
import { createHandshakes } from "../../src/server/handshakes.ts";
import { createFrequentInfo, createSparseWarn } from "../../src/server/sparse-log.ts";
import { eventually } from "../support/eventually.ts";
import {
  knownUsers,
  loginMessage,
  recordingLogger,
  startServer,
  type TestServer,
} from "../support/server.ts";
import { connectClient } from "../support/ws-client.ts";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** The real clock, which a test may put forward. */
function forwardClock() {
  let ahead = 0;
  return {
    forward(ms: number) {
      ahead += ms;
    },
    clock: { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead },
  };
}

async function loggedIn(autoPong: boolean) {
  const client = await connectClient(server?.url ?? "", { autoPong });
  client.send(loginMessage("admin", "secret"));
  await client.next();
  return client;
}

test("a quiet client is pinged within a minute, and stays as long as it answers", async () => {
  const { clock, forward } = forwardClock();
  server = await startServer({ clock });
  const client = await loggedIn(true);
  for (let round = 0; round < 7; round++) {
    const pinged = new Promise((resolve) => client.ws.once("ping", resolve));
    forward(51_000);
    await pinged;
    await eventually(() => expect(client.ws.bufferedAmount).toBe(0));
  }
  client.send({ event: "control", data: { type: "version" } });
  expect(await client.next()).toMatchObject({ status: "Success" });
});

test("a client that is silent for four minutes is kept, for more than five it is cut", async () => {
  const { clock, forward } = forwardClock();
  server = await startServer({ clock });
  const client = await loggedIn(false);
  const pinged = new Promise((resolve) => client.ws.once("ping", resolve));
  forward(240_000);
  await pinged;
  expect(client.ws.readyState).toBe(client.ws.OPEN);
  forward(61_000);
  expect((await client.closed).code).toBe(1006);
});

test("a login that is never answered is closed with 1013 in the end", async () => {
  const { clock, forward } = forwardClock();
  server = await startServer({
    clock,
    logins: { ...knownUsers({}), login: () => new Promise<never>(() => undefined) },
  });
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  await eventually(() => expect(server?.messages().join("\n")).toContain("Raw incoming message"));
  forward(121_000);
  expect((await client.closed).code).toBe(1013);
  expect(client.frames).toEqual([]);
});

test("a crowd that connects first and speaks all at once begins its handshakes a few per turn of the loop", async () => {
  const sockets: Socket[] = [];
  const port = createNetServer({ pauseOnConnect: true }, (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => port.listen(0, "127.0.0.1", resolve));
  const address = port.address();
  const number = typeof address === "object" && address !== null ? address.port : 0;
  const clients = Array.from({ length: 40 }, () => connect(number, "127.0.0.1"));
  await eventually(() => expect(sockets).toHaveLength(40));
  const perTurn: number[] = [];
  const begun: Socket[] = [];
  const first: string[] = [];
  const handshakes = createHandshakes({
    limits: { handshake_timeout: 10, connections: 100 },
    unauthenticated: createAddressCounter(() => 100),
    isProxy: () => false,
    clock: systemClock,
    sparseWarn: createSparseWarn(recordingLogger([]), systemClock),
    sessions: () => 0,
    begin(socket) {
      begun.push(socket);
      socket.once("data", (bytes) => first.push(String(bytes)));
    },
  });
  for (const socket of sockets) handshakes.accept(socket);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([]);
  // Connected long ago, all of them speak at once now.
  for (const client of clients) client.write("x");
  while (begun.length < 40) {
    const before = begun.length;
    await new Promise((resolve) => setImmediate(resolve));
    perTurn.push(begun.length - before);
  }
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(8);
  expect(new Set(begun)).toEqual(new Set(sockets));
  await eventually(() => expect(first).toEqual(begun.map(() => "x")));
  handshakes.closeAll();
  for (const client of clients) client.destroy();
  port.close();
});

test("warnings that strangers can provoke are written once a minute and counted", () => {
  const { clock, forward } = forwardClock();
  const log: Record<string, unknown>[] = [];
  const warn = createSparseWarn(recordingLogger(log), clock);
  for (let count = 0; count < 1000; count++) warn("flood", "too many");
  forward(61_000);
  warn("flood", "too many");
  expect(log).toMatchObject([{ notWritten: 0 }, { notWritten: 999 }]);
});

test("what a stranger can do without end is a line each time, up to a number that no fleet of phones needs", () => {
  const { clock, forward } = forwardClock();
  const log: Record<string, unknown>[] = [];
  const info = createFrequentInfo(recordingLogger(log), clock);
  for (let count = 0; count < 5000; count++) info("connection", "somebody connected");
  info("login", "somebody logged in");
  const written = (message: string) => log.filter(({ msg }) => msg === message).length;
  expect(written("somebody connected")).toBe(600);
  expect(written("somebody logged in")).toBe(1);
  expect(log).toHaveLength(602);
  forward(60_000);
  info("connection", "somebody connected");
  expect(log.slice(-2)).toMatchObject([
    { msg: "4400 lines like the next one were not written" },
    { msg: "somebody connected" },
  ]);
});
