import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKeyFile, type KeyFile, rotateKey } from "../../src/store/key-file.ts";
import { recordingLogger } from "../support/server.ts";

describe("the key of picture links", () => {
  let folder = "";
  let log: Record<string, unknown>[] = [];
  const started: KeyFile[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmes-key-"));
    log = [];
  });
  afterEach(async () => {
    for (const key of started.splice(0)) await key.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(directory = folder): Promise<KeyFile> {
    const key = createKeyFile({ directory, logger: recordingLogger(log) });
    started.push(key);
    await key.start(new AbortController().signal);
    return key;
  }
  const file = () => join(folder, "picture-links.key");

  it("is made on the first start, for our user alone", async () => {
    const key = await start();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readFileSync(file(), "utf8"), "base64url")).toEqual(key.current());
    expect(key.current()).toHaveLength(32);
  });

  it("stays the same over a restart", async () => {
    expect((await start()).current()).toEqual((await start()).current());
  });

  it("is exchanged in the running program too", async () => {
    const key = await start();
    const before = key.current();
    await rotateKey(folder);
    expect(await key.refresh()).not.toEqual(before);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect((await start()).current()).toEqual(key.current());
  });

  it("is made anew where the file holds something else, and that is said once", async () => {
    writeFileSync(file(), "not a key");
    const key = await start();
    expect(key.current()).toHaveLength(32);
    expect(readFileSync(file(), "utf8").trim()).toBe(key.current().toString("base64url"));
    expect(log.filter(({ msg }) => String(msg).includes("holds no key"))).toHaveLength(1);
  });

  it("stays in use when the file is gone or damaged meanwhile", async () => {
    const key = await start();
    const before = key.current();
    writeFileSync(file(), "damaged");
    expect(await key.refresh()).toEqual(before);
    rmSync(file());
    expect(await key.refresh()).toEqual(before);
  });

  it("lives in memory where it cannot be kept, and that is said without showing it", async () => {
    const key = await start(join(folder, "nowhere"));
    expect(key.current()).toHaveLength(32);
    expect(String(log[0]?.msg)).toContain("cannot be kept");
    expect(JSON.stringify(log)).not.toContain(key.current().toString("base64url"));
  });
});
