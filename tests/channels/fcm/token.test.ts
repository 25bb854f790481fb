import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseServiceAccount, readServiceAccount } from "../../../src/channels/fcm/account.ts";
import { createHttpClient } from "../../../src/channels/fcm/http.ts";
import { createAccessTokens } from "../../../src/channels/fcm/token.ts";
import { type Google, PROJECT, startGoogle } from "../../support/google.ts";

const pem = (type: "rsa" | "ec") => {
  const { privateKey } =
    type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" });
};
const good = {
  type: "service_account",
  project_id: "p",
  client_email: "push@p.iam.gserviceaccount.com",
  private_key: pem("rsa"),
};

describe("the key file of a service account", () => {
  const parse = (change: object) => parseServiceAccount(JSON.stringify({ ...good, ...change }));

  it("is accepted as Google makes it, with Google's own token address by default", () => {
    expect(parse({})).toMatchObject({ projectId: "p", tokenUri: "https://oauth2.googleapis.com/token" });
  });

  it.each([
    [{ type: "authorized_user" }, 'its "type" is not "service_account"'],
    [{ client_email: undefined }, "it has no client_email"],
    [{ project_id: 5 }, "it has no project_id"],
    [{ private_key: "nonsense" }, "its private_key is not an RSA key in PEM form"],
    [{ private_key: pem("ec") }, "its private_key is not an RSA key in PEM form"],
    [{ token_uri: "http://example.org/token" }, "its token_uri is not an https address"],
    [{ project_info: {} }, "it is the google-services.json of an app, not the key of a service account"],
  ])("with %j is refused in plain words", (change, words) => {
    expect(parse(change)).toBe(words);
  });

  it("is never quoted, whatever is wrong with it", () => {
    fc.assert(
      fc.property(fc.string(), (content) => {
        const outcome = parseServiceAccount(content);
        expect(typeof outcome).toBe("string");
      }),
    );
    expect(parse({ private_key: "-----BEGIN PRIVATE KEY-----\nsecret\n" })).not.toContain("secret");
  });

  it("that is missing is named with the way out", async () => {
    await expect(readServiceAccount("/nowhere/firebase.json")).rejects.toMatchObject({
      code: "FCM_KEY_UNREADABLE",
      message: "The service account /nowhere/firebase.json for push messages cannot be read: ENOENT",
    });
  });
});

describe("access tokens", () => {
  let google: Google;
  let now = 0;
  const never = new AbortController().signal;
  beforeAll(async () => {
    google = await startGoogle();
  });
  afterAll(() => google.stop());
  beforeEach(() => {
    google.counts.tokens = 0;
    now = 1_000_000;
  });
  afterEach(() => {
    google.tokenAnswer = null;
  });

  function setUp() {
    const url = new URL(google.origin);
    const client = createHttpClient({ origin: url.origin, ca: google.ca, sessions: 1 });
    return createAccessTokens({
      account: () => readServiceAccount(google.keyFile),
      async post(uri, form, signal) {
        const headers = { "content-type": "application/x-www-form-urlencoded" };
        return await client.post({ path: new URL(uri).pathname, headers, body: form }, signal);
      },
      clock: { now: () => Date.now(), monotonic: () => now },
    });
  }

  it("are given for a claim whose signature, scope, audience and times are right", async () => {
    const access = await setUp().get(never);
    expect(access).toMatchObject({ projectId: PROJECT, token: expect.stringMatching(/^ya29\./) });
    expect(google.complaints).toEqual([]);
  });

  it("are fetched once for everybody who asks at the same time", async () => {
    const tokens = setUp();
    const all = await Promise.all(Array.from({ length: 50 }, () => tokens.get(never)));
    expect(new Set(all.map(({ token }) => token)).size).toBe(1);
    expect(google.counts.tokens).toBe(1);
  });

  it("are used until a minute before they expire", async () => {
    const tokens = setUp();
    const first = await tokens.get(never);
    now += 3_539_000;
    expect(await tokens.get(never)).toBe(first);
    now += 1_001;
    expect(await tokens.get(never)).not.toBe(first);
    expect(google.counts.tokens).toBe(2);
  });

  it("that were refused are replaced once, however many report it", async () => {
    const tokens = setUp();
    const first = await tokens.get(never);
    for (let each = 0; each < 20; each++) tokens.discard(first);
    const second = await tokens.get(never);
    tokens.discard(first);
    expect(await tokens.get(never)).toBe(second);
    expect(google.counts.tokens).toBe(2);
  });

  it("that Google denies are asked for again after a pause, with its words", async () => {
    const tokens = setUp();
    google.tokenAnswer = {
      status: 400,
      body: '{"error":"invalid_grant","error_description":"account not found"}',
    };
    await expect(tokens.get(never)).rejects.toMatchObject({
      failure: "retry",
      message: "Google refused the service account (400: invalid_grant: account not found)",
    });
    await expect(tokens.get(never)).rejects.toThrow("invalid_grant");
    expect(google.counts.tokens).toBe(1);
    google.tokenAnswer = null;
    now += 5_000;
    await expect(tokens.get(never)).resolves.toMatchObject({ projectId: PROJECT });
  });

  it("are waited for no longer than the caller can wait", async () => {
    const stop = new AbortController();
    stop.abort(new Error("stopping"));
    await expect(setUp().get(stop.signal)).rejects.toThrow("stopping");
  });
});
