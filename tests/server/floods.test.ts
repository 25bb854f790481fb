// What one client can do to the memory and the time of all others, on purpose or not.
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { LoginOutcome } from "../../src/server/login.ts";
import { eventually } from "../support/eventually.ts";
import { knownUsers, loginMessage, startServer, type TestServer } from "../support/server.ts";
import { connectClient } from "../support/ws-client.ts";

let server: TestServer;
afterEach(() => server.stop());

const version = { event: "control", data: { type: "version" } };

/** The most log lines the server wrote between two turns of the loop, counted until `stop`. */
function watchTurns() {
  let most = 0;
  let before = server.log.length;
  let turn: NodeJS.Immediate;
  const look = (): void => {
    most = Math.max(most, server.log.length - before);
    before = server.log.length;
    turn = setImmediate(look);
  };
  look();
  return {
    stop() {
      clearImmediate(turn);
      return most;
    },
  };
}

test("a burst of small messages lets the loop turn between them", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  await client.next();
  const turns = watchTurns();
  for (let count = 0; count < 2000; count++) client.send(version);
  await eventually(() => expect(client.frames).toHaveLength(2001));
  expect(turns.stop()).toBeLessThanOrEqual(3);
});

test("a connection that asks more over HTTP than any health check does is cut", async () => {
  server = await startServer();
  let answer = "";
  await new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1", () => {
      socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5000));
    });
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", resolve);
  });
  expect(answer.split("HTTP/1.1").length - 1).toBeLessThanOrEqual(100);
});

test("a message may come in pieces, but not in thousands of crumbs", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  const login = JSON.stringify(loginMessage("admin", "secret"));
  for (const letter of login) client.ws.send(letter, { fin: false });
  client.ws.send("", { fin: true });
  expect(await client.next()).toMatchObject({ status: "Success" });
  for (let count = 0; count < 1500; count++) client.ws.send(" ", { fin: false });
  expect((await client.closed).code).toBe(1008);
});

test("what waits behind a login is together no longer than one message may be", async () => {
  const users = { ...knownUsers({}), login: () => new Promise<LoginOutcome>(() => undefined) };
  server = await startServer({ logins: users, limits: { message_bytes: 10_000 } });
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  for (let count = 0; count < 3; count++) client.sendText("x".repeat(4000));
  expect((await client.closed).code).toBe(1008);
});

test("what a client says before its login is together no longer than one message may be", async () => {
  server = await startServer({ limits: { message_bytes: 10_000 } });
  const client = await connectClient(server.url);
  for (let count = 0; count < 3; count++) client.sendText(`[${"[],".repeat(1300)}0]`);
  expect((await client.closed).code).toBe(1008);
  expect(client.frames).toHaveLength(2);
});

test("messages behind one login take nothing from those behind the next", async () => {
  const users = knownUsers({ admin: "secret" });
  const login: typeof users.login = async (attempt) => {
    await new Promise((resolve) => setImmediate(resolve));
    return users.login(attempt);
  };
  server = await startServer({ logins: { ...users, login }, limits: { message_bytes: 1024 } });
  const client = await connectClient(server.url);
  for (let round = 0; round < 3; round++) {
    client.send(loginMessage("admin", "secret"));
    client.send({ event: "x".repeat(600) });
    expect(await client.next()).toMatchObject({ status: "Success" });
    expect(await client.next()).toMatchObject({ reason: "NOTSUPPORTED" });
  }
});
