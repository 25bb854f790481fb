import { hashSync } from "bcrypt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matches, parseStored, spend } from "../../src/zoneminder/passwords.ts";

// "password", in each form ZoneMinder has used.
const MYSQL = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19";
const BCRYPT = hashSync("password", 4);
const OVERLAY = `-ZM-${hashSync(MYSQL, 4).replace("$2b", "$2y")}`;

describe("a stored password", () => {
  it.each([
    ["bcrypt $2b$", BCRYPT],
    ["bcrypt $2a$", BCRYPT.replace("$2b", "$2a")],
    ["bcrypt $2y$, as PHP writes it", BCRYPT.replace("$2b", "$2y")],
    ["MySQL's own hash", MYSQL],
    ["MySQL's own hash in small letters", MYSQL.toLowerCase()],
    ["bcrypt over MySQL's hash, as zmupdate.pl makes it", OVERLAY],
    ["plain text", "password"],
  ])("as %s lets in its password and no other", async (_name, stored) => {
    expect(await matches(parseStored(stored), "password")).toBe(true);
    for (const wrong of [
      "Password",
      "password ",
      "",
      "password\0",
      MYSQL,
      stored === "password" ? "x" : stored,
    ]) {
      expect(await matches(parseStored(stored), wrong)).toBe(false);
    }
  });

  it("may hold letters of every language", async () => {
    const password = "pässwörd 防犯 🚗";
    expect(await matches(parseStored(hashSync(password, 4)), password)).toBe(true);
    expect(await matches(parseStored(password), password)).toBe(true);
  });

  it.each([
    ["nothing", "", /empty/],
    ["a cut-off bcrypt hash", BCRYPT.slice(0, 40), /bcrypt/],
    ["a bcrypt hash with a cost that never ends", BCRYPT.replace("$04$", "$31$"), /cost 31/],
    ["a cut-off MySQL hash", MYSQL.slice(0, 20), /MySQL/],
    ["an overlay over something else", `-ZM-${MYSQL}`, /bcrypt/],
  ])("that is %s lets nobody in, not even with its own text", async (_name, stored, problem) => {
    const parsed = parseStored(stored);
    expect(parsed).toMatchObject({ form: "odd", problem: expect.stringMatching(problem) });
    expect(await matches(parsed, stored)).toBe(false);
  });

  it("never throws, whatever is stored and typed", async () => {
    const beginnings = fc.constantFrom("", "*", "$2", "$2y$04$", "$2b$99$", "-ZM-", "-ZM-$2a$04$", BCRYPT);
    const property = fc.asyncProperty(
      beginnings,
      fc.string(),
      fc.string(),
      async (beginning, rest, password) => {
        await matches(parseStored(beginning + rest), password);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});

describe("a refusal", () => {
  it("takes the work of the expected cost, whatever part of it was spent before", async () => {
    const work = async (from: number) => {
      const begun = process.cpuUsage();
      await spend(from, 11, "x");
      const used = process.cpuUsage(begun);
      return used.user + used.system;
    };
    const [whole, afterTen] = [await work(0), await work(10)];
    // 2^11 rounds, against the 2^10 that are left after a hash of cost 10.
    expect(whole / afterTen).toBeGreaterThan(1.4);
    expect(whole / afterTen).toBeLessThan(3);
    expect(await work(11)).toBeLessThan(whole / 10);
  });
});
