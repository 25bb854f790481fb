import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { pushTest, testPush } from "../../src/cli/test-push.ts";
import { loadConfig } from "../../src/config/load.ts";
import { testIo } from "../support/command-io.ts";
import { type Relay, startRelay } from "../support/relay.ts";

const folder = mkdtempSync(join(tmpdir(), "zmes-test-push-"));
const tokenFile = join(folder, "tokens.txt");
const phone = { monlist: "", intlist: "", platform: "android", pushstate: "enabled", appversion: "1.6.9" };
const tokens = {
  aaaaaaaaaaaaaaaaaaaaaa27a387: phone,
  bbbbbbbbbbbbbbbbbbbbbb9f665f: { ...phone, platform: "ios", zmes: { badge: 3 } },
  cccccccccccccccccccccc9f6600: { ...phone, pushstate: "disabled" },
};
let relay: Relay;
beforeAll(async () => {
  relay = await startRelay();
});
afterAll(async () => {
  await relay.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  relay.refuse = () => null;
  writeFileSync(tokenFile, JSON.stringify({ tokens }));
});

async function push(
  whom: string,
  picture: string | null = null,
  fcm: object = { fcm_v1_url: relay.url, fcm_v1_key: relay.key },
) {
  const path = join(folder, "zmes.yml");
  writeFileSync(path, JSON.stringify({ fcm: { token_file: tokenFile, ...fcm } }));
  const io = testIo();
  const sentBefore = relay.accepted.length;
  const code = await pushTest(whom, { config: loadConfig({ path }).config, picture, io });
  return { code, out: io.out(), err: io.err(), sent: relay.accepted.slice(sentBefore) };
}

test("one phone is sent one message, and what came back is shown", async () => {
  const { code, out, sent } = await push("27a387");
  expect(out).toMatch(/^phone \.\.\.27a387: accepted by the push proxy, after \d+ ms\n$/);
  expect(sent).toMatchObject([{ title: "Test Alarm", data: { eid: "0" }, android: { channel: "zmninja" } }]);
  expect(code).toBe(0);
});

test("all means every phone that has push switched on", async () => {
  const { code, out, sent } = await push("all");
  expect(out.trim().split("\n")).toHaveLength(2);
  expect(sent).toHaveLength(2);
  expect(code).toBe(0);
});

test("a picture goes with the message", async () => {
  const { sent } = await push("...9f665f", "https://cameras.example.org/x.jpg");
  expect(sent).toMatchObject([{ image_url: "https://cameras.example.org/x.jpg", badge: 3 }]);
});

test("a picture's address with a password in it is not sent", async () => {
  for (const words of [["--picture=https://h/x?password=planted"], ["--picture", "https://u:planted@h/x"]]) {
    const io = testIo();
    expect(await testPush.run(["all", ...words], io)).toBe(2);
    expect(io.err()).toContain("the picture's address has a password or token in it");
    expect(io.err()).not.toContain("planted");
  }
});

test("the proxy's words are shown where it refuses, and nothing is changed", async () => {
  relay.refuse = () => ({ status: 400, body: '{"Error":"Requested entity was not found."}' });
  const before = readFileSync(tokenFile, "utf8");
  const { code, out } = await push("27a387");
  expect(out).toBe(
    "phone ...27a387: no longer exists (the server forgets it at its next push): " +
      "the push proxy answered 400: Requested entity was not found.\n",
  );
  expect(code).toBe(1);
  expect(readFileSync(tokenFile, "utf8")).toBe(before);
});

test.each([
  ["nobody", "No phone's token ends with nobody; `zmes devices` lists them."],
  ["", "No phone's token ends with ;"],
])("%j finds no phone and says so", async (whom, expected) => {
  const { code, err } = await push(whom);
  expect(err).toContain(expected);
  expect(code).toBe(1);
});

test("an end that several tokens share asks for more of it", async () => {
  writeFileSync(tokenFile, JSON.stringify({ tokens: { aaaaaaaaaaaaa387: phone, bbbbbbbbbbbbb387: phone } }));
  expect((await push("387")).err).toContain("2 phones have a token that ends with 387: give more of it.");
});

test("without a key it says so, with the way out", async () => {
  const { code, err } = await push("all", null, {});
  expect(err).toMatch(/Phones cannot be reached: there is no key for push\. Copy the key and address/);
  expect(code).toBe(1);
});

test("a bad key file is named with the way out", async () => {
  const { code, out } = await push("27a387", null, { fcm_service_account_file: tokenFile });
  expect(out).toMatch(
    /^phone \.\.\.27a387: not now .*tokens\.txt cannot be used as a service account.*Firebase console/,
  );
  expect(code).toBe(1);
});
