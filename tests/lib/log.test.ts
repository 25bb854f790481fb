import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/lib/errors.ts";
import { createLogger, type LogDestination, type LogLevel, type LogRecord } from "../../src/lib/log.ts";

function aPlace(level: LogLevel | null, name = "place") {
  const records: LogRecord[] = [];
  let closed = 0;
  let reopened = 0;
  const destination: LogDestination = {
    name,
    level,
    write: (record) => records.push(record),
    reopen: () => {
      reopened += 1;
    },
    close: async () => {
      closed += 1;
    },
  };
  return { destination, records, closed: () => closed, reopened: () => reopened };
}

describe("a logger", () => {
  test("gives every place the lines of its level, with the room that speaks", () => {
    const [all, some, none] = [aPlace("debug"), aPlace("warn"), aPlace(null)];
    const log = createLogger([all.destination, some.destination, none.destination]);
    const server = log.logger.child({ room: "server" });
    server.debug("Looking");
    server.warn({ client: "::1" }, "Slow");
    expect(all.records.map((each) => each.message)).toEqual(["Looking", "Slow"]);
    expect(some.records).toMatchObject([{ room: "server", level: "warn", fields: { client: "::1" } }]);
    expect(none.records).toEqual([]);
  });

  test("lets a place that comes later hear children made before", () => {
    const log = createLogger([]);
    const child = log.logger.child({ room: "watcher" });
    const late = aPlace("debug");
    log.add(late.destination);
    child.debug("Heard");
    expect(late.records).toHaveLength(1);
  });

  test("builds no line nobody wants", async () => {
    const place = aPlace("debug", "file");
    const log = createLogger([place.destination]);
    const child = log.logger.child({ room: "watcher" });
    await log.replace("file", null);
    expect(child.isLevelEnabled("fatal")).toBe(false);
    expect(place.closed()).toBe(1);
  });

  test("passes on reopening and closing", async () => {
    const place = aPlace("info");
    const log = createLogger([place.destination]);
    log.reopen();
    await log.close();
    log.logger.info("Too late");
    expect([place.reopened(), place.closed(), place.records.length]).toEqual([1, 1, 0]);
  });

  test("keeps the code and the hint of an operator error", () => {
    const place = aPlace("info");
    const err = new AppError("NETWORK_PORT_IN_USE", { port: 9000, address: "::" });
    createLogger([place.destination]).logger.error({ err }, "Cannot listen");
    expect(place.records[0]?.fields.err).toMatchObject({ code: "NETWORK_PORT_IN_USE", hint: err.hint });
  });
});

describe("a secret", () => {
  const lineOf = (fields: object, message = "x"): string => {
    const place = aPlace("info");
    createLogger([place.destination]).logger.info(fields, message);
    return JSON.stringify(place.records[0]);
  };

  test.each(["password", "Password", "token", "authorization", "api_key", "cookie", "secret"])(
    "in a field named %s is not logged, however deep it lies",
    (name) => {
      expect(lineOf({ [name]: "geheim" })).not.toContain("geheim");
      expect(lineOf({ a: { b: [{ c: { [name]: { value: "geheim" } } }] } })).not.toContain("geheim");
    },
  );

  test.each([
    '{"event":"auth","data":{"user":"me","password":"geheim"}}',
    '{"password" :\t"ge\\"heim geheim"}',
    '{"token":"geheim',
    "http://zm/index.php?view=image&token=geheim&eid=1",
    "https://zm/cgi-bin/nph-zms?user=me&pass=geheim",
    "mysql://zmuser:geheim@localhost/zm",
    `https://host/p/${"geheim".repeat(10)}`,
  ])("inside the message %s is not logged", (message) => {
    expect(lineOf({}, message)).not.toContain("geheim");
  });

  test("in a raw message is hidden whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (secret) => {
        const line = lineOf({}, JSON.stringify({ password: `<${secret}>`, monlist: "1" }));
        expect(JSON.parse(JSON.parse(line).message)).toEqual({ password: "[redacted]", monlist: "1" });
      }),
    );
  });

  test("hides nothing that is no secret", () => {
    expect(lineOf({ user: "me", auth: true }, "Storing token ...9f665f182b,monlist:-1")).toContain(
      '"message":"Storing token ...9f665f182b,monlist:-1","fields":{"user":"me","auth":true}',
    );
  });
});
