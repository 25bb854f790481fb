import { afterEach, expect, test } from "vitest";
import type { LoginOutcome } from "../../src/server/login.ts";
import { limitLogins } from "../../src/server/login-limiter.ts";
import { eventually } from "../support/eventually.ts";
import { knownUsers, loginMessage, startServer, type TestServer } from "../support/server.ts";
import { connectClient } from "../support/ws-client.ts";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const limits = { failed_logins_per_address: 3, failed_logins_per_user: 100, queued_logins: 10 };
const never = new AbortController().signal;
const at = { ms: 0 };
const clock = { now: () => 0, monotonic: () => at.ms };

const attempt = (password: string, address = "192.0.2.1", user = "admin") => ({
  user,
  password,
  address,
  signal: never,
});

function limited(change: Partial<typeof limits> = {}, users = knownUsers({ admin: "secret" })) {
  const logins = limitLogins(users, { ...limits, ...change }, clock);
  return {
    users,
    login: async (...args: Parameters<typeof attempt>) => (await logins.login(attempt(...args))).outcome,
  };
}

test("an address that failed too often is not even asked any more, until time has passed", async () => {
  const { login, users } = limited();
  for (let count = 0; count < 3; count++) expect(await login("wrong")).toBe("refused");
  expect(await login("secret")).toBe("limited");
  expect(users.attempts).toHaveLength(3);
  at.ms += 20_000;
  expect(await login("secret")).toBe("accepted");
});

test("other addresses are not touched, but the rest of an IPv6 /64 is", async () => {
  const { login } = limited();
  for (let count = 0; count < 3; count++) await login("wrong", `2001:db8::${count + 1}`);
  expect(await login("secret", "2001:db8::ffff")).toBe("limited");
  expect(await login("secret", "2001:db8:0:1::1")).toBe("accepted");
  expect(await login("secret", "192.0.2.1")).toBe("accepted");
});

test("right passwords never use up the limit", async () => {
  const { login } = limited();
  for (let count = 0; count < 50; count++) expect(await login("secret")).toBe("accepted");
});

test("guesses sent all at once are checked no more often than guesses one by one", async () => {
  const { login, users } = limited({ queued_logins: 100 });
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => login("wrong")));
  expect(users.attempts).toHaveLength(3);
  expect(outcomes.filter((outcome) => outcome === "limited")).toHaveLength(47);
});

test("500 right logins at once from one address are all let in", async () => {
  const { login } = limited({ queued_logins: 2000 });
  const outcomes = await Promise.all(Array.from({ length: 500 }, () => login("secret")));
  expect(new Set(outcomes)).toEqual(new Set(["accepted"]));
});

test("more waiting logins than allowed are told to come back", async () => {
  const gate = Promise.withResolvers<LoginOutcome>();
  const users = { ...knownUsers({}), login: () => gate.promise };
  const { login } = limited({ queued_logins: 5 }, users);
  const outcomes = Array.from({ length: 10 }, () => login("secret"));
  expect(await outcomes[9]).toBe("busy");
  gate.resolve({ outcome: "accepted", user: "admin", rights: "all" });
  expect((await Promise.all(outcomes)).filter((outcome) => outcome === "accepted")).toHaveLength(8);
});

test("a login whose client left while it waited lets the next one have its place", async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<LoginOutcome>());
  let asked = 0;
  const accepted = { outcome: "accepted", user: "admin", rights: "all" } as const;
  const login = () => gates[asked++]?.promise ?? Promise.resolve(accepted);
  const logins = limitLogins({ login }, { ...limits, failed_logins_per_address: 1 }, clock);
  const first = logins.login(attempt("a"));
  const leaving = new AbortController();
  const second = logins.login({ ...attempt("b"), signal: leaving.signal });
  const third = logins.login(attempt("c"));
  leaving.abort();
  gates[0]?.resolve(accepted);
  gates[1]?.resolve(accepted);
  expect((await first).outcome).toBe("accepted");
  expect((await second).outcome).toBe("busy");
  expect((await third).outcome).toBe("accepted");
});

test("a user that is being guessed at is delayed and still let in with the right password", async () => {
  const { login } = limited({ failed_logins_per_address: 1000, failed_logins_per_user: 100 });
  for (let count = 0; count < 100; count++)
    await login("wrong", "192.0.2.1", count % 2 === 0 ? "admin" : "ADMIN");
  const began = performance.now();
  expect(await login("secret", "192.0.2.3")).toBe("accepted");
  // 100 a minute: the next one is due after 600 ms.
  expect(performance.now() - began).toBeGreaterThan(500);
});

test("an answer that is not known costs nothing", async () => {
  const users = { ...knownUsers({}), login: async () => ({ outcome: "unavailable" }) as const };
  const { login } = limited({}, users);
  for (let count = 0; count < 20; count++) expect(await login("x")).toBe("unavailable");
});

test("a limited login gets no reply and close code 1013, so that no client takes it as final", async () => {
  server = await startServer({ limits: { failed_logins_per_address: 1 } });
  const wrong = await connectClient(server.url);
  wrong.send(loginMessage("admin", "wrong"));
  expect(await wrong.next()).toMatchObject({ reason: "BADAUTH" });
  const right = await connectClient(server.url);
  right.send(loginMessage("admin", "secret"));
  expect((await right.closed).code).toBe(1013);
  expect(right.frames).toEqual([]);
});

test("too many messages before a login, or while one is checked, close the connection", async () => {
  const users = { ...knownUsers({}), login: () => new Promise<LoginOutcome>(() => undefined) };
  server = await startServer({ logins: users, limits: { queued_messages: 5 } });
  const version = { event: "control", data: { type: "version" } };
  const chatty = await connectClient(server.url);
  for (let count = 0; count < 6; count++) chatty.send(version);
  expect((await chatty.closed).code).toBe(1008);
  expect(chatty.frames).toHaveLength(5);
  const waiting = await connectClient(server.url);
  waiting.send(loginMessage("admin", "secret"));
  for (let count = 0; count < 6; count++) waiting.send(version);
  expect((await waiting.closed).code).toBe(1008);
});

test("a login still being checked when its client leaves is aborted", async () => {
  const users = knownUsers({});
  const seen: AbortSignal[] = [];
  const login = (one: { signal: AbortSignal }) => {
    seen.push(one.signal);
    return new Promise<LoginOutcome>(() => undefined);
  };
  server = await startServer({ logins: { ...users, login } });
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  await eventually(() => expect(seen).toHaveLength(1));
  client.ws.terminate();
  await eventually(() => expect(seen[0]?.aborted).toBe(true));
});

test("a message longer than limits.message_bytes closes with 1009 and nothing else happens", async () => {
  server = await startServer({ limits: { message_bytes: 1024 } });
  const client = await connectClient(server.url);
  client.sendText("x".repeat(1025));
  expect((await client.closed).code).toBe(1009);
  const other = await connectClient(server.url);
  other.send(loginMessage("admin", "secret"));
  expect(await other.next()).toMatchObject({ status: "Success" });
});
