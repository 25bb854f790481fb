// Pictures over HTTP, from a server that behaves as ZoneMinder's pages do in several versions.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createPortals } from "../../../src/detect/frames/portal.ts";
import { readFrames } from "../../../src/detect/frames/read-frames.ts";
import type { PortalSettings } from "../../../src/domain/detect-settings.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { anEvent, aStorage, frameDeps, frameSettings, jpeg, put, told } from "./pictures.ts";

const PASSWORD = "planted-pass-word&=";

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly form: URLSearchParams;
  readonly cookie: string;
}

type Answer = (asked: Asked, response: ServerResponse) => void | Promise<void>;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(
  answer: Answer,
  tls?: { key: string; cert: string },
): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const one = {
      method: request.method ?? "",
      url: new URL(request.url ?? "", "http://x"),
      form: new URLSearchParams(body),
      cookie: request.headers.cookie ?? "",
    };
    asked.push(one);
    await answer(one, response);
  };
  const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/zm`, asked };
}

function portal(url: string, change: Partial<PortalSettings> = {}): PortalSettings {
  return { url, apiUrl: null, user: "viewer", password: PASSWORD, allowSelfSigned: false, ...change };
}

const read = (settings: PortalSettings, frameSet: readonly string[] = ["snapshot"], more = {}) =>
  told(readFrames(anEvent(null), frameSettings({ portal: settings, frameSet, ...more }), frameDeps()));

const json = (response: ServerResponse, value: unknown): void => {
  response.setHeader("content-type", "application/json").end(JSON.stringify(value));
};

/** ZoneMinder from 1.34 on; `tokens` it knows at the moment. */
function modern(tokens: () => string): Answer {
  return async ({ url, form }, response) => {
    if (url.pathname === "/zm/api/host/login.json") {
      if (form.get("pass") === PASSWORD && form.get("user") === "viewer")
        json(response, { access_token: tokens() });
      else response.writeHead(401).end("{}");
      return;
    }
    if (url.searchParams.get("token") !== tokens()) {
      response.writeHead(302, { location: "?view=login" }).end();
      return;
    }
    const id = url.searchParams.get("fid");
    if (id === "404") response.writeHead(404).end();
    else response.setHeader("content-type", "image/jpeg").end(await jpeg(id === "alarm" ? "green" : "red"));
  };
}

describe("pictures over HTTP", () => {
  it("are asked for with a token after one login with the password in the body", async () => {
    const server = await serve(modern(() => "t1"));
    expect(await read(portal(server.url), ["snapshot", "alarm", "7"])).toEqual([
      "snapshot red",
      "alarm green",
    ]);
    expect(server.asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      "POST /zm/api/host/login.json",
      "GET /zm/index.php",
      "GET /zm/index.php",
      "GET /zm/index.php",
    ]);
    expect(server.asked[1]?.url.search).toBe("?view=image&eid=5&fid=snapshot&token=t1");
    expect(JSON.stringify(server.asked.map(({ url }) => url.href))).not.toContain("planted");
  });

  it.each(["/", "/index.php", "/index.php/"])("take a portal that ends with %s", async (end) => {
    const server = await serve(modern(() => "t1"));
    expect(await read(portal(server.url + end))).toEqual(["snapshot red"]);
  });

  it("are asked for where api_portal leads", async () => {
    const server = await serve(({ url }, response) =>
      url.pathname === "/elsewhere/host/login.json"
        ? json(response, { access_token: "t1" })
        : modern(() => "t1")({ url, form: new URLSearchParams(), cookie: "", method: "GET" }, response),
    );
    const apiUrl = server.url.replace("/zm", "/elsewhere/");
    expect(await read(portal(server.url, { apiUrl }))).toEqual(["snapshot red"]);
  });

  it("log in again, once, when the token has become old", async () => {
    let token = "t1";
    const server = await serve(modern(() => token));
    const portals = createPortals();
    const settings = frameSettings({ portal: portal(server.url), frameSet: ["snapshot"] });
    const again = () => told(readFrames(anEvent(null), settings, frameDeps({ portals })));
    expect(await again()).toEqual(["snapshot red"]);
    token = "t2";
    expect(await again()).toEqual(["snapshot red"]);
    const logins = server.asked.filter(({ method }) => method === "POST");
    expect(logins).toHaveLength(2);
  });

  it("share a login that one of those who wait for it gives up", async () => {
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const server = await serve(async (one, response) => {
      if (one.method === "POST") asked.resolve();
      if (one.method === "POST") await answered.promise;
      await modern(() => "t1")(one, response);
    });
    const { picture } = createPortals()(portal(server.url));
    const impatient = new AbortController();
    const first = picture(5, "snapshot", impatient.signal);
    await asked.promise;
    const second = picture(6, "snapshot", new AbortController().signal);
    impatient.abort(new Error("called off"));
    await expect(first).rejects.toThrow("called off");
    answered.resolve();
    expect((await second).length).toBeGreaterThan(0);
    expect(server.asked.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  it("need no login where none is configured", async () => {
    const server = await serve(async (_, response) => {
      response.setHeader("content-type", "image/jpeg").end(await jpeg("blue"));
    });
    expect(await read(portal(server.url, { user: null, password: null }))).toEqual(["snapshot blue"]);
    expect(server.asked).toHaveLength(1);
  });

  it("come with a session of the web pages where the API gives no token (1.32)", async () => {
    const server = await serve(async ({ url, form, cookie }, response) => {
      if (url.pathname.endsWith("login.json")) return json(response, { credentials: "auth=abc" });
      if (form.get("action") === "login") {
        const isRight = form.get("username") === "viewer" && form.get("password") === PASSWORD;
        response
          .setHeader("set-cookie", [`ZMSESSID=${isRight ? "good" : "bad"}; path=/`, "skin=classic"])
          .end("<html>");
      } else if (cookie === "ZMSESSID=good; skin=classic") {
        response.setHeader("content-type", "image/jpeg").end(await jpeg("green"));
      } else response.setHeader("content-type", "text/html").end("<html>login");
    });
    expect(await read(portal(server.url))).toEqual(["snapshot green"]);
    expect(server.asked.every(({ url }) => !url.href.includes("planted"))).toBe(true);
  });

  it("are asked for as often as configured while they are not there", async () => {
    let left = 2;
    const server = await serve(async ({ url, ...asked }, response) => {
      if (url.searchParams.has("fid") && left > 0) {
        left -= 1;
        response.writeHead(404).end();
      } else await modern(() => "t1")({ url, ...asked }, response);
    });
    const more = { maxAttempts: 3, sleepBetweenAttemptsMs: 5 };
    expect(await read(portal(server.url), ["snapshot"], more)).toEqual(["snapshot red"]);
  });

  it("are used when the event's folder is not on this machine, and only then", async () => {
    const server = await serve(modern(() => "t1"));
    const settings = frameSettings({ portal: portal(server.url), frameSet: ["snapshot"] });
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "blue" });
    expect(await told(readFrames(anEvent(root), settings, frameDeps()))).toEqual(["snapshot blue"]);
    const elsewhere = anEvent(root, { folders: ["9/9"] });
    expect(await told(readFrames(elsewhere, settings, frameDeps()))).toEqual(["snapshot red"]);
  });

  it("come over TLS, from a certificate nobody vouches for only where that is allowed", async () => {
    const files = makeCertificate();
    const tls = { key: readFileSync(files.key, "utf8"), cert: readFileSync(files.cert, "utf8") };
    files.remove();
    const server = await serve(
      modern(() => "t1"),
      tls,
    );
    expect(await read(portal(server.url, { allowSelfSigned: true }))).toEqual(["snapshot red"]);
    expect((await read(portal(server.url))).join()).toMatch(/self-signed|certificate/i);
  });
});

describe("what is said when there is none", () => {
  it.each<[string, Answer, Partial<PortalSettings>, RegExp]>([
    [
      "a missing picture",
      (asked, response) =>
        asked.url.searchParams.has("fid")
          ? void response.writeHead(404).end()
          : modern(() => "t")(asked, response),
      {},
      /there is no such picture/,
    ],
    ["a wrong password", modern(() => "t"), { password: "wrong" }, /refuses user viewer/],
    ["no login where one is needed", modern(() => "t"), { user: null }, /set user and password/],
    [
      "an API that is off",
      (_, response) => void response.writeHead(404).end("no"),
      {},
      /check that ZoneMinder's API is on/,
    ],
    [
      "a user without rights",
      ({ url }, response) =>
        url.pathname.endsWith("login.json")
          ? json(response, { access_token: "t" })
          : void response.writeHead(403).end(),
      {},
      /right to see events/,
    ],
    [
      "something else entirely",
      ({ url }, response) =>
        url.pathname.endsWith("login.json")
          ? json(response, { access_token: "planted-token" })
          : void response.writeHead(500, { "content-type": "text/plain" }).end("oops"),
      {},
      /no picture, but 500 text\/plain/,
    ],
    ["a connection that breaks", (_, response) => void response.destroy(), {}, /login\.json: /],
  ])("%s", async (_, answer, change, words) => {
    const server = await serve(answer);
    const lines = (await read(portal(server.url, change))).join();
    expect(lines).toMatch(words);
    expect(lines).not.toMatch(/planted|token=/);
  });

  it("an address that is none", async () => {
    expect((await read(portal("not an address"))).join()).toContain("The portal cannot be asked");
  });

  it("names no password that is part of the address", async () => {
    const lines = await read(portal("http://me:planted-secret@127.0.0.1:1/zm"));
    expect(lines.join()).toContain("127.0.0.1:1/zm");
    expect(lines.join()).not.toContain("planted");
  });
});
