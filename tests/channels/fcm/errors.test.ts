import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fcmFailure, relayFailure, retryAfterMs } from "../../../src/channels/fcm/errors.ts";

const reply = (status: number, body = "", retryAfter: string | null = null) => ({ status, body, retryAfter });

describe("the answer of Google or of a push proxy", () => {
  it("never throws and never costs a registration by accident, whatever is in it", () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constant('{"error":{"details":[null,{"errorCode":1}]}}'),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        anything,
        fc.option(fc.string()),
        (status, body, after) => {
          for (const failureOf of [fcmFailure, relayFailure]) {
            const { failure, message } = failureOf(reply(status, body, after), "token-27a387", 0);
            expect(["retry", "rejected"]).toContain(failure);
            expect(message.length).toBeLessThan(700);
          }
        },
      ),
    );
  });

  it("lays the fault at the token where Google names the field", () => {
    const details = [
      { fieldViolations: [{ field: "message.token", description: "Invalid registration token" }] },
    ];
    const body = JSON.stringify({
      error: { status: "INVALID_ARGUMENT", message: "Request is invalid", details },
    });
    expect(fcmFailure(reply(400, body), "t", 0).failure).toBe("gone");
    expect(fcmFailure(reply(400, body.replace("message.token", "message.data")), "t", 0).failure).toBe(
      "rejected",
    );
  });

  it("of a proxy in trouble does not forget a phone, whatever words are in it", () => {
    expect(relayFailure(reply(502, "Requested entity was not found."), "t", 0).failure).toBe("retry");
  });

  it("is quoted without the link to a picture, which shows it to whoever reads it", () => {
    const link = `https://cameras.example.org/p/${"AbC-_123".repeat(8)}`;
    const portal = "https://zm.example.org/?eid=1&password=sesame";
    for (const failureOf of [fcmFailure, relayFailure]) {
      const body = JSON.stringify({ error: { message: `${link} ${portal}` }, Error: `${link} ${portal}` });
      const { message } = failureOf(reply(400, body), "token-27a387", 0);
      expect(message).toContain("https://cameras.example.org/p/[redacted] ");
      expect(message).not.toMatch(/AbC-_123|sesame/);
    }
  });

  it("is quoted in one line of bounded length", () => {
    const { message } = relayFailure(reply(400, `<html>\n<b>Bad</b>\n${"x".repeat(5000)}`), "t", 0);
    expect(message).toMatch(/^the push proxy answered 400: Bad x+…$/);
    expect(message.length).toBeLessThan(400);
  });
});

describe("Retry-After", () => {
  it.each([
    ["7", 7_000],
    [" 7 ", 7_000],
    ["Thu, 01 Jan 1970 00:01:00 GMT", 60_000],
    ["0", null],
    ["Wed, 31 Dec 1969 23:00:00 GMT", null],
    ["soon", null],
    ["-5", null],
    ["999999999", 3_600_000],
  ])("%j means %s ms", (header, ms) => {
    expect(retryAfterMs(reply(503, "", header), 0)).toBe(ms);
  });
});
