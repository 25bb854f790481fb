import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { download } from "../../../src/detect/models/download.ts";

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

let folder: string;
let server: Server;
let origin: string;
let requests: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-download-"));
  requests = [];
  answer = whole;
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As every server for files: with an ETag, and with Range and If-Range. */
function whole({ headers }: IncomingMessage, response: ServerResponse, etag = '"one"', bytes = BYTES): void {
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? "") ?? [];
  if (from === undefined || headers["if-range"] !== etag) {
    response.writeHead(200, { "content-length": bytes.length, etag }).end(bytes);
    return;
  }
  const rest = bytes.subarray(Number(from));
  const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(206, { "content-length": rest.length, "content-range": range, etag }).end(rest);
}

function half(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-length": BYTES.length, etag: '"one"' });
  response.write(BYTES.subarray(0, BYTES.length / 2), () => response.destroy());
}

const to = () => join(folder, "model.part");

function fetchIt(path = "/model.onnx", more: Partial<Parameters<typeof download>[1]> = {}) {
  return download(new URL(path, origin), {
    to: to(),
    maxBytes: 1_000_000,
    signal: new AbortController().signal,
    checkUrl: () => Promise.resolve(),
    onProgress: () => {},
    retryMs: 1,
    ...more,
  });
}

test("a file comes whole, and says how far it is", async () => {
  const seen: number[] = [];
  await fetchIt("/model.onnx", {
    onProgress: ({ done, total }) => {
      expect(total).toBe(BYTES.length);
      seen.push(done);
    },
  });
  expect(readFileSync(to())).toEqual(BYTES);
  expect(seen.at(-1)).toBe(BYTES.length);
  expect(existsSync(`${to()}.json`)).toBe(false);
});

test("a connection that breaks is taken up again where it broke", async () => {
  answer = (request, response) =>
    requests.length === 1 ? half(request, response) : whole(request, response);
  await fetchIt();
  expect(readFileSync(to())).toEqual(BYTES);
  expect(requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  expect(requests[1]?.headers["if-range"]).toBe('"one"');
});

test("the next call goes on where the last one gave up", async () => {
  const broken = (request: IncomingMessage, response: ServerResponse) =>
    requests.length === 1 ? half(request, response) : response.destroy();
  answer = broken;
  await expect(fetchIt()).rejects.toThrow(/could not be fetched: .*bytes are kept: the same command goes on/);
  const kept = statSync(to()).size;
  expect(kept).toBeGreaterThan(0);
  answer = whole;
  const resumed: number[] = [];
  await fetchIt("/model.onnx", { onProgress: (progress) => resumed.push(progress.resumed) });
  expect(readFileSync(to())).toEqual(BYTES);
  expect(resumed[0]).toBe(kept);
});

test("a file that has changed meanwhile begins anew", async () => {
  const other = Buffer.from(BYTES).reverse();
  answer = (request, response) =>
    requests.length === 1 ? half(request, response) : whole(request, response, '"two"', other);
  await fetchIt();
  expect(readFileSync(to())).toEqual(other);
});

test("the part of another address is not used", async () => {
  answer = (request, response) => (requests.length === 1 ? half(request, response) : response.destroy());
  await expect(fetchIt()).rejects.toThrow();
  answer = whole;
  requests.length = 0;
  await fetchIt("/other.onnx");
  expect(requests[0]?.headers.range).toBeUndefined();
  expect(readFileSync(to())).toEqual(BYTES);
});

/** A part of the file is there, of the length that the next request asks to go on from. */
async function interrupted(): Promise<void> {
  answer = (request, response) => (requests.length === 1 ? half(request, response) : response.destroy());
  await expect(fetchIt()).rejects.toThrow("bytes are kept");
}

test.each<[string, (from: number) => Record<string, string>]>([
  ["whose mark is another", (from) => ({ etag: '"two"', "content-range": `bytes ${from}-299999/300000` })],
  ["of a file of another length", (from) => ({ "content-range": `bytes ${from}-299999/400000` })],
  ["from another place on", (from) => ({ "content-range": `bytes ${from - 1}-299998/300000` })],
  ["that says nothing of itself", () => ({})],
])("a rest %s is not put behind the part", async (_, headersFor) => {
  await interrupted();
  answer = (request, response) => {
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) return whole(request, response);
    const rest = Buffer.alloc(BYTES.length - Number(from), 255);
    response.writeHead(206, { "content-length": rest.length, ...headersFor(Number(from)) }).end(rest);
  };
  await fetchIt();
  expect(readFileSync(to())).toEqual(BYTES);
});

test("a server that gives the rest in pieces is asked for each of them", async () => {
  await interrupted();
  answer = ({ headers }, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1]);
    const piece = BYTES.subarray(start, start + 40_000);
    const range = `bytes ${start}-${start + piece.length - 1}/${BYTES.length}`;
    response.writeHead(206, { "content-length": piece.length, "content-range": range, etag: '"one"' });
    response.end(piece);
  };
  await fetchIt();
  expect(readFileSync(to())).toEqual(BYTES);
});

test("a server that cannot resume sends everything again", async () => {
  answer = (request, response) => {
    if (requests.length === 1) half(request, response);
    else response.writeHead(200, { "content-length": BYTES.length }).end(BYTES);
  };
  await fetchIt();
  expect(readFileSync(to())).toEqual(BYTES);
});

test.each([
  [404, 1],
  [403, 1],
  [503, 4],
])("status %i is tried %i times, then said", async (status, times) => {
  answer = (_, response) => response.writeHead(status).end();
  await expect(fetchIt("/model.onnx?token=secret")).rejects.toThrow(
    `${origin}/model.onnx could not be fetched: the server answered with status ${status}.`,
  );
  expect(requests).toHaveLength(times);
});

test("a file that is too large is refused before it comes", async () => {
  await expect(fetchIt("/model.onnx", { maxBytes: 100_000 })).rejects.toThrow("larger than 0 MB");
  expect(existsSync(to())).toBe(false);
});

test("a file that does not say its length is cut off at the limit", async () => {
  answer = (_, response) => {
    response.writeHead(200);
    response.end(BYTES);
  };
  await expect(fetchIt("/model.onnx", { maxBytes: 100_000 })).rejects.toThrow("larger than");
  expect(existsSync(to())).toBe(false);
});

test("every redirection is checked", async () => {
  answer = (request, response) => {
    if (request.url === "/moved") response.writeHead(302, { location: "/elsewhere?key=1" }).end();
    else whole(request, response);
  };
  const asked: string[] = [];
  const checkUrl = (url: URL) => {
    asked.push(url.pathname);
    return url.pathname === "/elsewhere" ? Promise.reject(new Error("not there")) : Promise.resolve();
  };
  await expect(fetchIt("/moved", { checkUrl })).rejects.toThrow("could not be fetched: not there.");
  expect(asked).toEqual(["/moved", "/elsewhere"]);
});

test("an interruption keeps what has come", async () => {
  const stop = new AbortController();
  answer = (_, response) => {
    response.writeHead(200, { "content-length": BYTES.length, etag: '"one"' });
    response.write(BYTES.subarray(0, 100_000));
  };
  const onProgress = () => stop.abort();
  await expect(fetchIt("/model.onnx", { signal: stop.signal, onProgress })).rejects.toThrow(
    /it was interrupted\. \d+ bytes are kept/,
  );
});

test("a server that is not there is said in the system's words", async () => {
  server.close();
  server.closeAllConnections();
  await expect(fetchIt()).rejects.toThrow(/could not be fetched: .*ECONNREFUSED/);
});
