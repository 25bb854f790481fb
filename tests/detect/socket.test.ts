import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAnswer } from "../../src/detect/resident/messages.ts";
import { askDetector } from "../../src/detect/socket-client.ts";
import { type DetectRequest, parseReply } from "../../src/detect/socket-messages.ts";
import { parseRequest } from "../../src/detect/socket-request.ts";
import { createSocketServer, type SocketServerOptions } from "../../src/detect/socket-server.ts";
import type { Part } from "../../src/lib/lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger } from "../support/server.ts";

const never = new AbortController().signal;
const request: DetectRequest = {
  event: 7,
  file: null,
  monitor: 1,
  cause: "Motion",
  path: null,
  options: { config: null, overrides: [], writesFiles: true, drawTo: null },
};
const result = {
  frame: "snapshot",
  detections: [{ label: "person", confidence: 0.9, box: [1, 2, 3, 4], type: "object", model: "m" }],
  rejected: [],
  original: { width: 640, height: 480 },
  analyzed: { width: 640, height: 480 },
  zones: [],
  timings: [],
  troubles: [],
} as const;

describe("the detector's socket", () => {
  let folder = "";
  let path = "";
  let log: Record<string, unknown>[] = [];
  const opened: Part[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmes-socket-"));
    path = join(folder, "detector.sock");
    log = [];
  });
  afterEach(async () => {
    for (const part of opened.splice(0)) await part.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function serve(look: SocketServerOptions["look"], where = path): Promise<Part> {
    const part = createSocketServer({ path: where, look, logger: recordingLogger(log) });
    opened.push(part);
    await part.start(never);
    return part;
  }
  const ask = (signal = never, acceptMs = 2_000) => askDetector({ path, request, signal, acceptMs });

  it("hands a command's request on, and the answer back", async () => {
    const asked: DetectRequest[] = [];
    await serve(async (what) => {
      asked.push(what);
      return { result, printed: "[s] detected:person" };
    });
    expect(await ask()).toEqual({ result, printed: "[s] detected:person" });
    expect(asked).toEqual([request]);
  });

  it("tells a command why there is no answer", async () => {
    await serve(async () => ({ failed: "it hung" }));
    expect(await ask()).toEqual({ failed: "it hung" });
  });

  it("is there for its own user alone, and gone when the program has ended", async () => {
    const part = await serve(async () => ({ failed: "" }));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await part.stop();
    expect(existsSync(path)).toBe(false);
  });

  it("replaces what an earlier run left behind", async () => {
    const old = createServer();
    await new Promise<void>((resolve) => old.listen(path, resolve));
    await serve(async () => ({ failed: "the new one" }));
    expect(await ask()).toEqual({ failed: "the new one" });
    old.close();
  });

  it("does not touch a file that is no socket, and says why commands cannot reach it", async () => {
    writeFileSync(path, "mine");
    await serve(async () => ({ failed: "" }));
    expect(statSync(path).size).toBe(4);
    expect(log).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(/cannot reach the detector.*no socket/) }),
    ]);
  });

  it("says so when the data directory's name is too long for a socket", async () => {
    await serve(async () => ({ failed: "" }), `/tmp/${"x".repeat(120)}`);
    expect(log).toEqual([expect.objectContaining({ msg: expect.stringMatching(/at most 107 bytes/) })]);
  });

  it("stops looking when the command has gone", async () => {
    const signals: AbortSignal[] = [];
    await serve((_, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    const nobody = new AbortController();
    const answer = ask(nobody.signal);
    await eventually(() => expect(signals).toHaveLength(1));
    nobody.abort();
    expect(await answer).toEqual({ unreachable: "called off" });
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
  });

  it("lets a command know that there is nobody: no socket, a dead one, one that is silent, one that ends", async () => {
    expect(await ask()).toEqual({ unreachable: expect.stringMatching(/ENOENT|no such/i) });
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    expect(await ask(never, 100)).toEqual({ unreachable: "no answer within 0.1 s" });
    silent.close();
    rmSync(path, { force: true });
    const part = await serve(() => new Promise(() => undefined));
    const answer = ask();
    setTimeout(() => void part.stop(), 100);
    expect(await answer).toEqual({ unreachable: expect.stringMatching(/ended|ECONNRESET/) });
  });

  it("refuses what is no request, and what has no end", async () => {
    await serve(async () => ({ failed: "never asked" }));
    const say = async (text: string) => {
      const socket = createConnection(path);
      let reply = "";
      socket.on("data", (part) => {
        reply += String(part);
      });
      socket.on("error", () => undefined);
      socket.write(text);
      await new Promise((resolve) => socket.on("close", resolve));
      return reply;
    };
    expect(await say("hello\n")).toMatch(/this is no request/);
    expect(await say(`${JSON.stringify({ ...request, file: "/a" })}\n`)).toMatch(/either an event or a file/);
    expect(await say("x".repeat(100_000))).toMatch(/at most 65536 bytes/);
  });

  it("takes any line without harm", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(typeof parseRequest(line)).toBe("string");
        expect(parseReply(line, parseAnswer)).toBeNull();
      }),
    );
  });
});
