import fc from "fast-check";
import { expect, test } from "vitest";
import { maskedMessage, parseMessage } from "../../src/server/protocol.ts";

test("no text throws, in parsing or in masking", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      parseMessage(text);
      maskedMessage(text);
    }),
  );
});

test("no value in any known place throws", () => {
  const event = fc.oneof(fc.constantFrom("auth", "control", "push", "escontrol"), fc.jsonValue());
  const type = fc.oneof(fc.constantFrom("filter", "version", "token"), fc.jsonValue());
  const any = fc.jsonValue();
  const data = fc.oneof(any, fc.record({ type, user: any, password: any, monlist: any, intlist: any }));
  fc.assert(
    fc.property(fc.record({ event, category: any, data }), (message) => {
      parseMessage(JSON.stringify(message));
    }),
  );
});

test("every field of a login is read, others are ignored", () => {
  const data = {
    user: "u",
    password: "p",
    monlist: "1,2",
    intlist: "0,60",
    appversion: "1.1.14",
    updates: true,
    profile: "Home",
    x: 1,
  };
  expect(parseMessage(JSON.stringify({ event: "auth", category: "escontrol", token: "", data }))).toEqual({
    event: "auth",
    auth: {
      category: "escontrol",
      user: "u",
      password: "p",
      monlist: "1,2",
      intlist: "0,60",
      appversion: "1.1.14",
      updates: true,
      app: "zmninja-ng",
    },
  });
});

test.each([
  ["zmninja-ng", { event: "auth", category: "normal", data: {} }],
  ["zmninja", { event: "auth", token: "", data: {} }],
  ["unknown", { event: "auth", data: {} }],
])("a login of %s is known by what is beside its data", (app, message) => {
  expect(parseMessage(JSON.stringify(message))).toMatchObject({ auth: { app } });
});

test("every field of a token message is read, odd tokens are none", () => {
  const data = { type: "token", token: "a:b", platform: "iOS", state: "x", monlist: 2, profile: "H" };
  expect(parseMessage(JSON.stringify({ event: "push", data }))).toEqual({
    event: "push",
    push: {
      type: "token",
      token: "a:b",
      platform: "ios",
      state: "enabled",
      monlist: "2",
      intlist: null,
      profile: "H",
    },
  });
  for (const token of ["", "a b", "a\nb", "ä", "x".repeat(4097), null, {}])
    expect(parseMessage(JSON.stringify({ event: "push", data: { ...data, token } }))).toMatchObject({
      push: { token: "" },
    });
});

test.each([
  [0, 0],
  ["7", 7],
  [3.9, 3],
  ["x", null],
  ["", null],
  [-1, null],
  [1e9, null],
  [null, null],
])("a badge of %j is %j", (badge, expected) => {
  const text = JSON.stringify({ event: "push", token: "t", data: { type: "badge", badge } });
  expect(parseMessage(text)).toEqual({ event: "push", push: { type: "badge", badge: expected, token: "t" } });
});

test("an unknown category is a normal one", () => {
  expect(parseMessage('{"event":"auth","category":"x","data":{}}')).toMatchObject({
    auth: { category: "normal" },
  });
});

test("a message spread over several lines is read (MisterHouse)", () => {
  const text = JSON.stringify({ event: "auth", data: { user: "u", password: "p" } }, null, 4);
  expect(parseMessage(text)).toMatchObject({ auth: { user: "u", password: "p" } });
});

test("a list that is present but null counts as missing, an empty one does not", () => {
  expect(parseMessage('{"event":"control","data":{"type":"filter","monlist":null,"intlist":""}}')).toEqual({
    event: "control",
    control: { type: "filter", monlist: null, intlist: "" },
  });
});

test("the echo of an unknown event is cut, and never an object", () => {
  expect(parseMessage(JSON.stringify({ event: "x".repeat(1000) }))).toEqual({
    event: "unknown",
    echo: "x".repeat(128),
  });
  expect(parseMessage('{"event":{"a":1}}')).toEqual({ event: "unknown", echo: null });
});

test("keys that mean something to JavaScript mean nothing here", () => {
  expect(parseMessage('{"__proto__":{"event":"auth"},"constructor":1}')).toEqual({
    event: "unknown",
    echo: null,
  });
  expect(parseMessage('{"event":"toString"}')).toEqual({ event: "unknown", echo: "toString" });
});

test("a masked message shows everything but passwords and tokens, however they are written", () => {
  const text =
    '{ "event": "auth", "token": "t", "data" : { "user":"u", "Password" : "p", "api_key": ["k"] } }';
  expect(maskedMessage(text)).toBe(
    '{"event":"auth","token":"***","data":{"user":"u","Password":"***","api_key":"***"}}',
  );
  expect(maskedMessage("password=x")).toBe("(not JSON, 10 characters)");
});
