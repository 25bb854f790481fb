import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PictureKind } from "../../src/domain/picture.ts";
import { type PictureTicket, readTicket, signTicket } from "../../src/server/picture-ids.ts";
import { eid, mid } from "../support/builders.ts";

const key = randomBytes(32);
const ticket: PictureTicket = {
  kind: "alarm",
  width: 800,
  event: eid(5060),
  monitor: mid(1),
  user: "anna",
  expiresAt: 1_800_000_000,
};
const id = signTicket(ticket, key) ?? "";

describe("the id of a picture link", () => {
  it("is short, and fit for an address", () => {
    expect(id).toMatch(/^[\w-]{40,70}$/);
  });

  it("gives back what was signed, whatever it was", () => {
    const kinds = fc.oneof(
      fc.constantFrom<PictureKind>(
        "best",
        "alarm",
        "snapshot",
        "objdetect",
        "objdetect_jpg",
        "objdetect_gif",
      ),
      fc.integer({ min: 1, max: 9_999_999 }),
    );
    const tickets = fc.record({
      kind: kinds,
      width: fc.integer({ min: 32, max: 4096 }),
      event: fc.integer({ min: 1, max: 2 ** 48 - 1 }).map(eid),
      monitor: fc.integer({ min: 1, max: 2 ** 32 - 1 }).map(mid),
      user: fc.string({ maxLength: 60, unit: "grapheme-ascii" }),
      expiresAt: fc.integer({ min: 0, max: 2 ** 40 }),
    });
    fc.assert(
      fc.property(tickets, (one) => {
        expect(readTicket(signTicket(one, key) ?? "", key)).toEqual(one);
      }),
    );
  });

  it("is nothing under another key", () => {
    expect(readTicket(id, randomBytes(32))).toBeNull();
  });

  it("is nothing when one bit of it is changed, or its end is written differently", () => {
    const bytes = Buffer.from(id, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(readTicket(changed.toString("base64url"), key)).toBeNull();
    }
    for (const other of [`${id}=`, `${id}A`, id.slice(0, -1), ` ${id}`, `${id}\n`])
      expect(readTicket(other, key)).toBeNull();
  });

  it("of any other text is nothing, and no text throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(readTicket(text, key)).toBeNull();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(readTicket(Buffer.from(bytes).toString("base64url"), key)).toBeNull();
      }),
    );
  });

  it("is not made for a name no user can have", () => {
    expect(signTicket({ ...ticket, user: "x".repeat(257) }, key)).toBeNull();
  });
});
