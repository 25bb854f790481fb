import { hashSync } from "bcrypt";
import { describe, expect, it } from "vitest";
import { type Attempt, createPasswordChecker } from "../../src/zoneminder/password-checker.ts";

const COST = 10;
const stored = hashSync("right", COST);

function setUp(queued_logins = 100) {
  let now = 0;
  const checker = createPasswordChecker({ queued_logins }, { now: () => now, monotonic: () => now });
  const check = (change: Partial<Attempt> = {}) =>
    checker.check({
      ...{ user: "admin", password: "right", stored, cost: COST, address: "::1" },
      signal: new AbortController().signal,
      ...change,
    });
  const wait = (ms: number) => {
    now += ms;
  };
  return { checker, check, wait };
}

/** CPU time in ms: what was really hashed, however busy the machine is. */
async function work(what: () => Promise<unknown>): Promise<number> {
  const begun = process.cpuUsage();
  await what();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

describe("a right password", () => {
  it("is hashed once for identical attempts in flight, and not again for ten minutes", async () => {
    const { check, wait } = setUp();
    const one = await work(() => setUp().check());
    const twenty = await work(() => Promise.all(Array.from({ length: 20 }, () => check())));
    expect(twenty).toBeLessThan(one * 3);
    wait(9 * 60_000);
    expect(await work(() => check())).toBeLessThan(one / 5);
    wait(2 * 60_000);
    expect(await work(() => check())).toBeGreaterThan(one / 3);
  });

  it("is forgotten with the stored hash it matched", async () => {
    const { check } = setUp();
    expect(await check()).toEqual({ result: "right" });
    expect(await check({ stored: hashSync("changed", COST) })).toEqual({ result: "wrong" });
    expect(await check({ stored: null })).toEqual({ result: "wrong" });
  });

  it("of one user says nothing about another whose name and password run together alike", async () => {
    const { check } = setUp();
    const plain = { stored: hashSync("bc", 4), cost: 4 };
    expect(await check({ ...plain, user: "a", password: "bc" })).toEqual({ result: "right" });
    expect(await check({ ...plain, user: "ab", password: "c" })).toEqual({ result: "wrong" });
  });
});

describe("a refusal costs the same", () => {
  it.each([
    ["for an unknown user", null],
    ["for a cheaper hash", hashSync("x", COST - 2)],
    ["for MySQL's hash", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"],
    ["for plain text", "geheim"],
    ["for an odd hash", "$2y$broken"],
  ])("%s as for a known one", async (_name, other) => {
    const { check } = setUp();
    const known: number[] = [];
    const compared: number[] = [];
    for (let i = 0; i < 5; i++) {
      known.push(await work(() => check({ password: `wrong ${i}` })));
      compared.push(await work(() => check({ password: `wrong ${i}`, stored: other })));
    }
    const ratio = Math.min(...compared) / Math.min(...known);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.6);
  });

  it.each([
    ["bcrypt", stored],
    ["bcrypt over MySQL's hash", `-ZM-${stored}`],
  ])("for a password with a NUL character, which %s never fits", async (_form, known) => {
    const { check } = setUp();
    const usual = await work(() => check({ password: "wrong" }));
    expect(await work(() => check({ password: "wr\0ong", stored: known }))).toBeGreaterThan(usual / 3);
  });

  it("every time", async () => {
    const { check } = setUp();
    const first = await work(() => check({ password: "wrong" }));
    expect(await work(() => check({ password: "wrong" }))).toBeGreaterThan(first / 3);
  });
});

it("a cheap form is answered without waiting where nobody has a bcrypt hash", async () => {
  const { check } = setUp(0);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, i) => check({ stored: "plain", password: `wrong ${i}`, cost: 0 })),
  );
  expect(results.every(({ result }) => result === "wrong")).toBe(true);
});

it("an odd stored password is refused with its problem", async () => {
  expect(await setUp().check({ stored: "$2y$broken" })).toEqual({
    result: "wrong",
    problem: "it begins like a bcrypt hash but is not one",
  });
});

it("a full queue answers busy instead of growing", async () => {
  const { check, checker } = setUp(2);
  const attempts = Array.from({ length: 10 }, (_, i) => check({ password: `wrong ${i}` }));
  const results = (await Promise.all(attempts)).map(({ result }) => result);
  expect(results).toContain("busy");
  expect(results.filter((result) => result === "wrong").length).toBeGreaterThanOrEqual(3);
  expect(checker.queued()).toBe(0);
});

it("an attempt that nobody waits for any more is dropped before its turn", async () => {
  const { check, checker } = setUp();
  const gone = new AbortController();
  const busy = Array.from({ length: 4 }, (_, i) => check({ password: `wrong ${i}` }));
  const others = Array.from({ length: 10 }, (_, i) => check({ password: `other ${i}`, signal: gone.signal }));
  gone.abort();
  expect(new Set((await Promise.all(others)).map(({ result }) => result))).toEqual(new Set(["given-up"]));
  await Promise.all(busy);
  expect(checker.queued()).toBe(0);
  expect(await check({ signal: gone.signal })).toEqual({ result: "given-up" });
});

it("an attempt that has begun is answered although its client has left, so that a wrong one is counted", async () => {
  const { check } = setUp();
  const gone = new AbortController();
  const attempt = check({ password: "wrong", signal: gone.signal });
  gone.abort();
  expect(await attempt).toEqual({ result: "wrong" });
});

it("an attempt somebody else still waits for is kept", async () => {
  const { check } = setUp();
  const busy = Array.from({ length: 4 }, (_, i) => check({ password: `wrong ${i}` }));
  const gone = new AbortController();
  const left = check({ signal: gone.signal });
  const stays = check({ address: "192.0.2.1" });
  gone.abort();
  expect(await left).toEqual({ result: "given-up" });
  expect(await stays).toEqual({ result: "right" });
  await Promise.all(busy);
});
