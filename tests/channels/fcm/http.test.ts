import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpClient, type HttpClient, type HttpClientOptions } from "../../../src/channels/fcm/http.ts";
import { createThreadedHttpClient } from "../../../src/channels/fcm/threaded-http.ts";
import { eventually } from "../../support/eventually.ts";
import { type Google, startGoogle } from "../../support/google.ts";
import { startRelay } from "../../support/relay.ts";

const run = promisify(execFile);
const THREADED = new URL("../../../src/channels/fcm/threaded-http.ts", import.meta.url).href;
const never = new AbortController().signal;
/** A busy machine takes seconds to start a thread. */
// Refused for want of a token, which is an answer like any other.
const request = {
  path: "/v1/projects/my-cameras/messages:send",
  headers: { "content-type": "application/json" },
  body: "{}",
};

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The two must not differ in anything but where the work is done. */
const clients = [
  ["in this thread", createHttpClient],
  ["in a thread of its own", (options: HttpClientOptions) => createThreadedHttpClient(options)],
] as const;
let createClient: (options: HttpClientOptions) => HttpClient = createHttpClient;

async function setUp(protocol: "h2" | "http1" = "h2", timeoutMs = 5_000): Promise<[Google, HttpClient]> {
  const google = await startGoogle({ protocol });
  const client = createClient({ origin: google.origin, ca: google.ca, timeoutMs });
  ends.push(google.stop, client.close);
  return [google, client];
}

describe.each(clients)("done %s:", (_, create) => {
  beforeEach(() => {
    createClient = create;
  });

  describe("requests to an origin that speaks HTTP/2", () => {
    it("share two connections, however many there are", async () => {
      const [google, client] = await setUp();
      google.latencyMs = 5;
      const replies = await Promise.all(Array.from({ length: 500 }, () => client.post(request, never)));
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401]));
      expect(google.counts).toMatchObject({ messages: 500, connections: 2, http1: 0 });
    });

    it("go over a new connection once the other side lets the old one go", async () => {
      const [google, client] = await setUp();
      await client.post(request, never);
      google.goAway();
      await eventually(async () => {
        await client.post(request, never);
        expect(google.counts.connections).toBeGreaterThan(1);
      });
    });

    it("under way when the other side says goodbye are answered all the same", async () => {
      const [google, client] = await setUp();
      google.latencyMs = 100;
      const replies = Array.from({ length: 20 }, () => client.post(request, never));
      await eventually(() => expect(google.counts.connections).toBe(2));
      setTimeout(() => google.goAway(), 50);
      for (const reply of replies) expect((await reply).status).toBe(401);
    });

    it("fail when the connection is cut, and the next one gets a new connection", async () => {
      const [google, client] = await setUp();
      google.latencyMs = 10_000;
      const cut = client.post(request, never);
      await eventually(() => expect(google.counts.connections).toBe(1));
      setTimeout(() => google.cutAll(), 20);
      await expect(cut).rejects.toThrow();
      google.latencyMs = 0;
      expect((await client.post(request, never)).status).toBe(401);
    });

    it("fail when there is no answer in time, and the connection is not trusted again", async () => {
      const [google, client] = await setUp("h2", 1_000);
      google.latencyMs = 10_000;
      await expect(client.post(request, never)).rejects.toThrow("no answer within 1 s");
      google.latencyMs = 0;
      expect((await client.post(request, never)).status).toBe(401);
      expect(google.counts.connections).toBe(2);
    });

    it("end when they are given up", async () => {
      const [google, client] = await setUp();
      google.latencyMs = 10_000;
      const stop = new AbortController();
      const given = client.post(request, stop.signal);
      await eventually(() => expect(google.counts.connections).toBe(1));
      stop.abort(new Error("stopping"));
      await expect(given).rejects.toThrow("stopping");
    });

    it("fail with the system's words where nobody listens", async () => {
      const [google, client] = await setUp();
      await google.stop();
      await expect(client.post(request, never)).rejects.toThrow(/ECONNREFUSED/);
    });

    it("are not sent to a server whose certificate nobody vouches for", async () => {
      const [google] = await setUp();
      const client = createClient({ origin: google.origin });
      ends.push(client.close);
      await expect(client.post(request, never)).rejects.toThrow(/self-signed/);
      expect(google.counts.messages).toBe(0);
    });

    it("are refused after the end", async () => {
      const [, client] = await setUp();
      await client.post(request, never);
      client.close();
      await expect(client.post(request, never)).rejects.toThrow("closed");
    });
  });

  describe("requests where only HTTP/1.1 is spoken", () => {
    it("go over kept connections", async () => {
      const [google, client] = await setUp("http1");
      for (let each = 0; each < 5; each++) expect((await client.post(request, never)).status).toBe(401);
      await Promise.all(Array.from({ length: 20 }, () => client.post(request, never)));
      expect(google.counts.http1).toBe(25);
      // One more than at work at once: the first look at what is spoken.
      expect(google.counts.connections).toBeLessThanOrEqual(22);
    });

    it("that come all at once at the beginning are all answered", async () => {
      const [google, client] = await setUp("http1");
      await Promise.all(Array.from({ length: 50 }, () => client.post(request, never)));
      expect(google.counts.messages).toBe(50);
    });

    it("fail when there is no answer in time, or the connection is cut", async () => {
      const [google, client] = await setUp("http1", 500);
      google.latencyMs = 10_000;
      await expect(client.post(request, never)).rejects.toThrow("no answer within 0.5 s");
      const cut = client.post(request, never);
      setTimeout(() => google.cutAll(), 50);
      await expect(cut).rejects.toThrow();
    });

    it("in clear text share a kept connection too", async () => {
      const relay = await startRelay();
      const client = createClient({ origin: new URL(relay.url).origin });
      ends.push(relay.stop, client.close);
      const known = {
        path: "/send_push",
        headers: { authorization: relay.key },
        body: '{"token":"a","data":{}, "badge": 1}',
      };
      for (let each = 0; each < 3; each++) expect((await client.post(known, never)).status).toBe(200);
      expect(relay.connections).toBe(1);
    });
  });
});

describe("the thread", () => {
  const PROGRAM = new URL("../../support/frail-http-thread.ts", import.meta.url);
  const post = (client: HttpClient, path: string) => client.post({ ...request, path }, never);

  it("fails the requests it had when it dies, with the reason, and the next one starts another", async () => {
    const client = createThreadedHttpClient({ origin: "https://127.0.0.1" }, PROGRAM);
    ends.push(client.close);
    expect((await post(client, "/answer")).body).toBe("request 1 of this thread");
    const unanswered = post(client, "/ignore");
    await expect(post(client, "/die")).rejects.toThrow("the thread stumbled");
    await expect(unanswered).rejects.toThrow("the thread stumbled");
    expect((await post(client, "/answer")).body).toBe("request 1 of this thread");
  });

  it("may die without a word", async () => {
    const client = createThreadedHttpClient({ origin: "https://127.0.0.1" }, PROGRAM);
    ends.push(client.close);
    await expect(post(client, "/die-silently")).rejects.toThrow();
    expect((await post(client, "/answer")).body).toBe("request 1 of this thread");
  });

  it("trusts the authorities of the system where the program was started so", async () => {
    const google = await startGoogle();
    ends.push(google.stop);
    const authority = join(mkdtempSync(join(tmpdir(), "zmes-authority-")), "ca.pem");
    writeFileSync(authority, google.ca);
    ends.push(() => rmSync(dirname(authority), { recursive: true }));
    const script = `
      const { createThreadedHttpClient } = await import(${JSON.stringify(THREADED)});
      const client = createThreadedHttpClient({ origin: ${JSON.stringify(google.origin)} });
      const request = ${JSON.stringify(request)};
      console.log((await client.post(request, new AbortController().signal)).status);`;
    const words = ["--use-system-ca", "--input-type=module", "-e", script];
    const env = { ...process.env, SSL_CERT_FILE: authority };
    const { stdout } = await run(process.execPath, words, { env, timeout: 15_000 });
    expect(stdout).toBe("401\n");
  });

  it("keeps no program running once everything is answered, and one that waits until it is", async () => {
    const script = `
      const { createThreadedHttpClient } = await import(${JSON.stringify(THREADED)});
      const client = createThreadedHttpClient({ origin: "https://127.0.0.1" }, new URL(${JSON.stringify(PROGRAM.href)}));
      const request = { path: "/answer", headers: {}, body: "" };
      for (let i = 0; i < 2; i++) console.log((await client.post(request, new AbortController().signal)).body);`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
      timeout: 15_000,
    });
    expect(stdout).toBe("request 1 of this thread\nrequest 2 of this thread\n");
  });
});
