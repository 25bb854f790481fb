import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { get as httpsGet } from "node:https";
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from "node:net";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { addressesToTry } from "../../src/server/port.ts";
import { createServer } from "../../src/server/server.ts";
import { makeCertificate, type TestCertificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { loginMessage, serverOptions, startServer, type TestServer } from "../support/server.ts";
import { connectClient } from "../support/ws-client.ts";

let certificate: TestCertificate;
let server: TestServer | undefined;
beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const ssl = () => ({ enable: true, cert: certificate.cert, key: certificate.key });

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(port: number, path: string, options: { method?: string; host?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: options.host ?? "127.0.0.1",
      port,
      path,
      method: options.method ?? "GET",
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    request.end();
  });
}

/** Sends raw bytes and gives back everything that came until the connection ended. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });
}

function closedOf(socket: Socket): Promise<void> {
  socket.on("error", () => undefined);
  return new Promise((resolve) => socket.on("close", () => resolve()));
}

async function startFailure(overrides: Parameters<typeof serverOptions>[0]): Promise<unknown> {
  const failing = createServer(serverOptions(overrides));
  const failure = await failing.part.start(new AbortController().signal).then(
    () => null,
    (reason: unknown) => reason,
  );
  await failing.part.stop();
  return failure;
}

test("/healthz answers ok while the program works, 503 when it does not, and nothing else", async () => {
  let isHealthy = true;
  server = await startServer({ health: () => isHealthy });
  expect(await ask(server.port, "/healthz")).toEqual({ status: 200, body: "ok" });
  isHealthy = false;
  expect(await ask(server.port, "/healthz")).toEqual({ status: 503, body: "" });
});

test("a health check in HTTP/1.0, without a Host header, is answered", async () => {
  server = await startServer();
  expect(await talk(server.port, "GET /healthz HTTP/1.0\r\n\r\n")).toMatch(
    /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/,
  );
});

test.each([
  ["GET", "/"],
  ["GET", "/metrics"],
  ["POST", "/healthz"],
  ["GET", "/healthz/x"],
  ["PUT", "/%zz"],
])("%s %s is a 404 without a body", async (method, path) => {
  server = await startServer();
  expect(await ask(server.port, path, { method })).toEqual({ status: 404, body: "" });
});

test.each([
  ["no Host header", "GET /healthz HTTP/1.1\r\n\r\n"],
  ["a broken Host header", "GET /healthz HTTP/1.1\r\nHost: [:::\r\n\r\n"],
  ["an absolute target", "GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [
    "an upgrade to something else",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
  ],
  [
    "a WebSocket handshake without a key",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  ],
  ["no HTTP at all", "\x00\x01\x02 hello\r\n\r\n"],
])("a request with %s is answered or cut, and the next one is served", async (_name, text) => {
  server = await startServer({ limits: { handshake_timeout: 0.2 } });
  await talk(server.port, text);
  expect(await ask(server.port, "/healthz")).toMatchObject({ status: 200 });
});

test.each(["file://", "http://localhost", "capacitor://localhost", "http://host:9000", undefined])(
  "a client with Origin %s is let in, on any path and with compression offered",
  async (origin) => {
    server = await startServer();
    const client = await connectClient(`${server.url}some/path?x=1`, {
      perMessageDeflate: true,
      ...(origin === undefined ? {} : { origin }),
    });
    expect([client.ws.extensions, client.ws.protocol]).toEqual(["", ""]);
    client.send(loginMessage("admin", "secret"));
    expect(await client.next()).toMatchObject({ status: "Success" });
  },
);

test("a subprotocol that is asked for is not agreed to", async () => {
  server = await startServer({ auth: { timeout: 0.1 } });
  const handshake = [
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
  ];
  const socket = connect(server.port, "127.0.0.1", () => socket.write(handshake.join("\r\n")));
  const answer = await new Promise<string>((resolve) =>
    socket.once("data", (chunk) => resolve(chunk.toString("latin1"))),
  );
  socket.destroy();
  expect(answer).toMatch(/^HTTP\/1.1 101 /);
  expect(answer).not.toMatch(/Sec-WebSocket-Protocol/i);
});

test("by default IPv4 and IPv6 are both served, with and without TLS", async () => {
  for (const options of [{}, { ssl: ssl() }]) {
    server = await startServer({ network: { address: "[::]" }, ...options });
    for (const host of ["127.0.0.1", "[::1]"]) {
      const client = await connectClient(
        `${options.ssl === undefined ? "ws" : "wss"}://${host}:${server.port}/`,
      );
      client.close();
    }
    await server.stop();
  }
});

test("the address is honoured without TLS as well", async () => {
  server = await startServer({ network: { address: "127.0.0.2" } });
  expect(await ask(server.port, "/healthz", { host: "127.0.0.2" })).toMatchObject({ status: 200 });
  await expect(ask(server.port, "/healthz")).rejects.toThrow("ECONNREFUSED");
});

test("an address in brackets is read, and 'everywhere' falls back to IPv4 where IPv6 is off", () => {
  expect(addressesToTry("[::]")).toEqual(["::", "0.0.0.0"]);
  expect(addressesToTry("")).toEqual(["::", "0.0.0.0"]);
  expect(addressesToTry("[fd00::1]")).toEqual(["fd00::1"]);
  expect(addressesToTry("192.0.2.1")).toEqual(["192.0.2.1"]);
});

test("a busy port stops the start with the reason and the way out, and no other port is opened", async () => {
  const other = createNetServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  for (const options of [{ enable: false }, ssl()]) {
    const failing = createServer(serverOptions({ network: { port }, ssl: options }));
    await expect(failing.part.start(new AbortController().signal)).rejects.toMatchObject({
      code: "NETWORK_PORT_IN_USE",
      message: `Port ${port} on 127.0.0.1 is in use by another program`,
      hint: expect.stringContaining("network.port"),
    });
    expect(failing.address()).toBeNull();
    await failing.part.stop();
  }
  other.close();
});

test("an address of another machine stops the start", async () => {
  expect(await startFailure({ network: { address: "192.0.2.1" } })).toMatchObject({
    code: "NETWORK_ADDRESS_UNUSABLE",
  });
});

test("a trusted proxy that is no address stops the start before anything is opened", () => {
  const options = serverOptions({ network: { trusted_proxies: ["10.0.0.0/99"] } });
  expect(() => createServer(options)).toThrow("10.0.0.0/99");
});

test("a missing certificate stops the start and never leads to clear text", async () => {
  const failure = await startFailure({ ssl: { ...ssl(), cert: "/nowhere/cert.pem" } });
  expect(failure).toMatchObject({
    code: "TLS_FILE_UNREADABLE",
    message: expect.stringContaining("/nowhere/cert.pem"),
  });
  expect(await startFailure({ ssl: { enable: true } })).toMatchObject({ code: "TLS_NOT_CONFIGURED" });
});

test("a file that is no certificate, no key, or a key with a passphrase stops the start", async () => {
  const bad = join(certificate.folder, "bad.pem");
  writeFileSync(bad, "hello");
  expect(await startFailure({ ssl: { ...ssl(), cert: bad } })).toMatchObject({ code: "TLS_FILE_INVALID" });
  expect(await startFailure({ ssl: { ...ssl(), key: bad } })).toMatchObject({ code: "TLS_FILE_INVALID" });
  const locked = join(certificate.folder, "locked.pem");
  execFileSync("openssl", [
    "pkcs8",
    "-topk8",
    "-in",
    certificate.key,
    "-out",
    locked,
    "-passout",
    "pass:hush",
  ]);
  const failure = await startFailure({ ssl: { ...ssl(), key: locked } });
  expect(failure).toMatchObject({ message: expect.stringContaining("passphrase") });
});

test("a key that belongs to another certificate stops the start", async () => {
  const other = makeCertificate();
  const failure = await startFailure({ ssl: { enable: true, cert: certificate.cert, key: other.key } });
  expect(failure).toMatchObject({ code: "TLS_KEY_MISMATCH", hint: expect.stringContaining("ssl.key") });
  other.remove();
});

test("an expired certificate is served, with a loud warning", async () => {
  const inTwoYears = { ...systemClock, now: () => Date.now() + 2 * 365 * 86_400_000 };
  server = await startServer({ ssl: ssl(), clock: inTwoYears });
  expect(server.messages().join("\n")).toMatch(/certificate .* EXPIRED on \d{4}-\d\d-\d\d/);
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  expect(await client.next()).toMatchObject({ status: "Success" });
});

test("a certificate that ends within 30 days is warned about, a younger one is not", async () => {
  const short = makeCertificate(20);
  server = await startServer({ ssl: { enable: true, cert: short.cert, key: short.key } });
  expect(server.messages().join("\n")).toMatch(/certificate .* expires on/);
  await server.stop();
  server = await startServer({ ssl: ssl() });
  expect(server.messages().join("\n")).not.toMatch(/expire/i);
  short.remove();
});

/** The fingerprint of the certificate that is served now. */
function served(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("a renewed certificate is served without a restart, and open connections stay", async () => {
  const [old, renewed] = [makeCertificate(), makeCertificate()];
  server = await startServer({ ssl: { enable: true, cert: old.cert, key: old.key } });
  const { port } = server;
  const client = await connectClient(server.url);
  const before = await served(port);
  copyFileSync(renewed.cert, old.cert);
  copyFileSync(renewed.key, old.key);
  await eventually(async () => expect(await served(port)).not.toBe(before));
  client.send(loginMessage("admin", "secret"));
  expect(await client.next()).toMatchObject({ status: "Success" });
  old.remove();
  renewed.remove();
});

test("a renewed certificate that cannot serve is reported and the old one stays", async () => {
  const old = makeCertificate();
  server = await startServer({ ssl: { enable: true, cert: old.cert, key: old.key } });
  const { port, messages } = server;
  const before = await served(port);
  writeFileSync(old.cert, "oops");
  await eventually(() => expect(messages().join("\n")).toMatch(/no PEM certificate; .* stays in use/));
  expect(await served(port)).toBe(before);
  old.remove();
});

test("TLS 1.1 is refused, TLS 1.2 is served", async () => {
  server = await startServer({ ssl: ssl() });
  const { port } = server;
  const version = (max: "TLSv1.1" | "TLSv1.2") =>
    new Promise((resolve) => {
      const options = {
        host: "127.0.0.1",
        port,
        rejectUnauthorized: false,
        ciphers: "DEFAULT:@SECLEVEL=0",
      } as const;
      const socket = tlsConnect({ ...options, minVersion: "TLSv1", maxVersion: max }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on("error", () => resolve(null));
    });
  expect(await version("TLSv1.1")).toBeNull();
  expect(await version("TLSv1.2")).toBe("TLSv1.2");
});

test("a client that stalls in the TLS handshake delays nobody and is cut after the handshake timeout", async () => {
  server = await startServer({ ssl: ssl(), limits: { handshake_timeout: 0.5 } });
  const stalled = Array.from({ length: 20 }, () => connect(server?.port ?? 0, "127.0.0.1"));
  const cut = Promise.all(stalled.map(closedOf));
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  expect(await client.next()).toMatchObject({ status: "Success" });
  await cut;
  expect(client.ws.readyState).toBe(client.ws.OPEN);
});

test.each([
  ["says nothing", ""],
  ["stalls in its HTTP headers", "GET / HTTP/1.1\r\nHost: a\r\nX-"],
  ["stalls in a request body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab"],
  ["keeps a finished HTTP connection open", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"],
])("a connection that %s is cut after the handshake timeout", async (_name, text) => {
  server = await startServer({ limits: { handshake_timeout: 0.3 } });
  const socket = connect(server.port, "127.0.0.1", () => socket.write(text));
  socket.resume();
  await closedOf(socket);
});

test("a connection over TLS that says nothing afterwards is cut after the handshake timeout", async () => {
  server = await startServer({ ssl: ssl(), limits: { handshake_timeout: 0.3 } });
  const socket = tlsConnect({ host: "127.0.0.1", port: server.port, rejectUnauthorized: false });
  socket.resume();
  await closedOf(socket);
});

test.each(["ws", "wss"])("a session over %s is not cut by the handshake timeout", async (scheme) => {
  const limits = { handshake_timeout: 0.5 };
  server = await startServer(scheme === "wss" ? { limits, ssl: ssl() } : { limits });
  const client = await connectClient(server.url);
  const stalled = connect(server.port, "127.0.0.1");
  await closedOf(stalled);
  client.send(loginMessage("admin", "secret"));
  expect(await client.next()).toMatchObject({ status: "Success" });
});

test("an address has no more connections without a login than allowed, and gets them back", async () => {
  server = await startServer({ limits: { unauthenticated_per_address: 2 } });
  const [one, two] = [await connectClient(server.url), await connectClient(server.url)];
  await expect(connectClient(server.url)).rejects.toThrow();
  one.send(loginMessage("admin", "secret"));
  await one.next();
  const three = await connectClient(server.url);
  await expect(connectClient(server.url)).rejects.toThrow();
  two.ws.terminate();
  three.ws.terminate();
  await eventually(async () => (await connectClient(server?.url ?? "")).close());
});

test("a client that uses one port of its own for two of our addresses escapes neither time nor count", async () => {
  server = await startServer({
    network: { address: "0.0.0.0" },
    limits: { unauthenticated_per_address: 2, handshake_timeout: 0.3 },
  });
  for (let round = 0; round < 3; round++) {
    const options = { port: server.port, localAddress: "127.0.0.1" };
    const one = connect({ ...options, host: "127.0.0.1" });
    await once(one, "connect");
    const two = connect({ ...options, host: "127.0.0.2", localPort: one.localPort ?? 0 });
    await once(two, "connect");
    two.destroy();
    one.resume();
    await closedOf(one);
    await eventually(async () => (await connectClient(server?.url ?? "")).ws.terminate());
  }
});

test("connections that are cut or refused do not stay counted", async () => {
  server = await startServer({
    ssl: ssl(),
    limits: { unauthenticated_per_address: 3, handshake_timeout: 0.2 },
  });
  for (let round = 0; round < 3; round++) {
    const stalled = Array.from({ length: 3 }, () => connect(server?.port ?? 0, "127.0.0.1"));
    await Promise.all(stalled.map(closedOf));
    await talk(server.port, "GET / HTTP/1.1\r\n\r\n");
    const client = await connectClient(server.url);
    client.send(loginMessage("admin", "wrong"));
    await client.closed;
  }
  await connectClient(server.url);
});

test("more connections than allowed in all are turned away with 503", async () => {
  server = await startServer({ limits: { connections: 1 } });
  await connectClient(server.url);
  await expect(connectClient(server.url)).rejects.toThrow("Unexpected server response: 503");
  expect(await ask(server.port, "/healthz")).toMatchObject({ status: 200 });
});

test("clients behind a trusted proxy are told apart by X-Forwarded-For, in the log and for the limits", async () => {
  server = await startServer({
    network: { trusted_proxies: ["127.0.0.0/8"] },
    limits: { unauthenticated_per_address: 1 },
  });
  const from = (address: string) =>
    connectClient(server?.url ?? "", { headers: { "X-Forwarded-For": `9.9.9.9, ${address}` } });
  await from("192.0.2.1");
  await from("192.0.2.2");
  await expect(from("192.0.2.2")).rejects.toThrow("503");
  expect(server.messages().join("\n")).toContain("got a websocket connection from 192.0.2.2 (2) active");
});

test("X-Forwarded-For of a client that is no trusted proxy means nothing", async () => {
  server = await startServer();
  await connectClient(server.url, { headers: { "X-Forwarded-For": "192.0.2.1" } });
  expect(server.messages().join("\n")).toContain("got a websocket connection from 127.0.0.1 ");
});

test("a proxy that nobody named is noticed, with the way out", async () => {
  server = await startServer();
  for (let count = 0; count < 3; count++)
    await connectClient(server.url, { headers: { "X-Forwarded-For": "192.0.2.1" } });
  const warnings = server.messages().filter((message) => message.includes("network.trusted_proxies"));
  expect(warnings).toHaveLength(1);
});

test("wss against a clear port and ws against a TLS port are named in the log", async () => {
  server = await startServer();
  await expect(connectClient(server.url.replace("ws:", "wss:"))).rejects.toThrow();
  expect(server.messages().join("\n")).toContain("TLS is off");
  await server.stop();
  server = await startServer({ ssl: ssl() });
  await expect(connectClient(server.url.replace("wss:", "ws:"))).rejects.toThrow();
  expect(server.messages().join("\n")).toContain("use wss://");
});

test("health is answered over TLS", async () => {
  server = await startServer({ ssl: ssl() });
  const url = `https://127.0.0.1:${server.port}/healthz`;
  const status = await new Promise((resolve) => {
    httpsGet(url, { rejectUnauthorized: false }, (response) => resolve(response.resume().statusCode));
  });
  expect(status).toBe(200);
});

test("stopping says 1001 to clients, cuts the ones that do not answer within a second, and frees the port", async () => {
  server = await startServer();
  const polite = await connectClient(server.url);
  const deaf = await connectClient(server.url);
  deaf.ws.pause();
  const idle = connect(server.port, "127.0.0.1");
  const idleClosed = closedOf(idle);
  await eventually(() => expect(server?.server.sessions.counts().total).toBe(2));
  const began = performance.now();
  await server.stop();
  expect(performance.now() - began).toBeLessThan(3_000);
  expect((await polite.closed).code).toBe(1001);
  await idleClosed;
  const again = await startServer({ network: { port: server.port } });
  await again.stop();
});

test("the start is logged in the words of the original", async () => {
  server = await startServer({ ssl: ssl() });
  expect(server.messages()).toContain("Secure WS(WSS) is enabled...");
  expect(server.messages()).toContain(`Web Socket Event Server listening on port ${server.port}`);
});
