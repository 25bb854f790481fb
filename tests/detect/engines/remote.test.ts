// Detection servers elsewhere: logins, pictures and answers of mlapi and pyzm.serve, and what takes over when they are silent.
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Engine } from "../../../src/detect/engines/engine.ts";
import { createRemoteEngine } from "../../../src/detect/engines/remote.ts";
import type { EngineSettings, HogSettings, RemoteSettings } from "../../../src/domain/detect-settings.ts";
import { makeCertificate, type TestCertificate } from "../../support/certificates.ts";
import { aContext, plainFrame } from "../support/frames.ts";
import { type Answer, type Asked, type StandInServer, startServer } from "../support/stand-in-server.ts";

let certificate: TestCertificate;
beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());

const started: StandInServer[] = [];
const lines: string[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
  lines.length = 0;
});

/** Ours has 320 by 160; theirs was made smaller. */
const MATCHED = {
  labels: ["person", "car"],
  boxes: [
    [10, 20, 60, 70],
    [80, 10, 200, 60],
  ],
  confidences: [0.7, 0.9],
  frame_id: null,
  image_dimensions: { original: [160, 320], resized: [80, 160] },
};
const FOUND = [
  { label: "car", confidence: 0.9, box: [160, 20, 320, 120] },
  { label: "person", confidence: 0.7, box: [20, 40, 120, 140] },
];
const HOG: HogSettings = {
  kind: "hog",
  stride: [4, 4],
  padding: [8, 8],
  scale: 1.05,
  useMeanShift: false,
  minWeight: 0,
};

describe("mlapi", () => {
  test("gets the picture after a login, whose token is kept", async () => {
    const server = await start(mlapiAnswers());
    const engine = await remote({ url: server.url });
    expect(await detect(engine)).toEqual(FOUND);
    expect(await detect(engine)).toEqual(FOUND);
    expect(server.asked.map(({ path }) => path.split("?")[0])).toEqual([
      "/api/v1/login",
      "/api/v1/detect/object",
      "/api/v1/detect/object",
    ]);
    const [login, sent] = server.asked;
    expect(JSON.parse(login?.body.toString() ?? "")).toEqual({ username: "zm", password: "geheim" });
    expect(sent?.headers.authorization).toBe("Bearer token-1");
    expect(sent?.path).toContain("response_format=zm_detect");
    expect(await sent?.form()).toEqual({ file: [await (await plainFrame()).jpeg()] });
  });

  test("may refuse an old token: then there is one more login", async () => {
    const server = await start(mlapiAnswers());
    const engine = await remote({ url: server.url });
    await detect(engine);
    let logins = 0;
    server.answer = ({ path, headers }) => {
      if (path.endsWith("/login")) return { json: { access_token: `new-${++logins}` } };
      return headers.authorization === "Bearer new-1"
        ? { json: { matched_data: MATCHED } }
        : { status: 401, json: { msg: "Token has expired" } };
    };
    expect(await detect(engine)).toEqual(FOUND);
    expect(logins).toBe(1);
  });

  test("may answer as it did in its first years", async () => {
    const legacy = [{ type: "object", label: "dog", confidence: "97.36%", box: [10, 20, 60, 70] }];
    const server = await start(mlapiAnswers(legacy));
    expect(await detect(await remote({ url: server.url }))).toEqual([
      { label: "dog", confidence: 0.9736, box: [10, 20, 60, 70] },
    ]);
  });

  test("may be named with the path that the original's configuration has", async () => {
    const server = await start(mlapiAnswers());
    expect(await detect(await remote({ url: `${server.url}/api/v1/` }))).toEqual(FOUND);
  });

  test("may find nothing", async () => {
    const server = await start(
      mlapiAnswers({ matched_data: { boxes: [], labels: [], confidences: [], image_dimensions: {} } }),
    );
    expect(await detect(await remote({ url: server.url }))).toEqual([]);
  });

  test.each([
    [
      "a wrong password",
      (): Answer => ({ status: 401, json: { message: "incorrect credentials" } }),
      /refuses the login of zm: check ml_user and ml_password/,
    ],
    [
      "another program",
      (): Answer => ({ json: "hello" }),
      /answered the login without a token: is it mlapi\?/,
    ],
    [
      "a server without stream_sequence",
      afterLogin({ status: 400, json: { msg: "No stream options found" } }),
      /400 \(No stream options found\): set stream_sequence/,
    ],
    ["an answer of another kind", afterLogin({ json: { labels: 5 } }), /not that of mlapi: check ml_gateway/],
    [
      "tokens that are never good",
      afterLogin({ status: 401, json: { msg: "Signature verification failed" } }),
      /the login was accepted, its token was not/,
    ],
    [
      "an answer without end",
      afterLogin((response) => response.end(Buffer.alloc(5_000_000, 32))),
      /more than 4194304 bytes/,
    ],
    [
      "a connection that is cut",
      afterLogin((response) =>
        response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy()),
      ),
      /cut the connection|aborted/,
    ],
    [
      "a redirect",
      afterLogin({ status: 302, headers: { location: "http://localhost:1/?token=x" } }),
      /answered 302/,
    ],
  ] as const)("%s is said in words, without secrets", async (_, answer, message) => {
    const server = await start(answer);
    const failure = await detect(await remote({ url: server.url })).catch(String);
    expect(failure).toMatch(message);
    expect(`${failure}${lines.join()}`).not.toMatch(/geheim|token-1|Bearer/);
  });

  test("without a user is not asked", async () => {
    await expect(detect(await remote({ url: "https://localhost:1", user: null }))).rejects.toThrow(
      "set ml_user and ml_password",
    );
  });
});

describe("pyzm.serve", () => {
  test("gets the picture at once when there is no user", async () => {
    const server = await start(() => ({
      json: { ...MATCHED, image_dimensions: { original: [80, 160], resized: null } },
    }));
    const engine = await remote({ protocol: "pyzm", url: server.url, user: null, password: null });
    expect(await detect(engine)).toEqual(FOUND);
    expect(server.asked.map(({ path }) => path)).toEqual(["/detect"]);
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
    expect(engine.description).toBe(`pyzm.serve at ${server.url}`);
  });

  test("gets it after a login when there is one, and only what is sure enough counts", async () => {
    const server = await start(({ path }) => ({
      json: path === "/login" ? { access_token: "token-1", expires: 3600 } : MATCHED,
    }));
    const engine = await remote({ protocol: "pyzm", url: server.url });
    expect(await detect(engine, 0.8)).toEqual(FOUND.slice(0, 1));
    expect(server.asked.map(({ path }) => path)).toEqual(["/login", "/detect"]);
  });

  test("that wants a login says so", async () => {
    const server = await start(() => ({ status: 403, json: { detail: "Not authenticated" } }));
    const engine = await remote({ protocol: "pyzm", url: server.url, user: null });
    await expect(detect(engine)).rejects.toThrow(
      "answered 403 (Not authenticated): set ml_user and ml_password",
    );
  });
});

describe("the way to the server", () => {
  test("is refused with a certificate of its own making, unless that is allowed", async () => {
    const server = await start(mlapiAnswers());
    await expect(detect(await remote({ url: server.url, allowSelfSigned: false }))).rejects.toThrow(
      "set allow_self_signed: yes",
    );
    expect(server.asked).toEqual([]);
  });

  test("ends at the time limit", async () => {
    const server = await start(() => () => {});
    await expect(detect(await remote({ url: server.url, timeoutMs: 100 }))).rejects.toThrow(
      /localhost:\d+ did not answer within 0\.1 s/,
    );
  });

  test("ends when nobody wants the answer any more", async () => {
    const server = await start(() => () => {});
    const controller = new AbortController();
    const engine = await remote({ url: server.url, fallback: HOG });
    const answer = engine.detect(await plainFrame(), aContext({ signal: controller.signal }));
    controller.abort(new Error("the deadline has passed"));
    await expect(answer).rejects.toThrow("the deadline has passed");
    expect(lines).toEqual([]);
  });

  test("must be an address", async () => {
    await expect(remote({ url: "gpu:5000" })).rejects.toThrow("is not an http:// or https:// URL");
  });
});

describe("the engine that takes over", () => {
  test("is made when it is needed, and the change is said once in each direction", async () => {
    const server = await start(() => ({ status: 500 }));
    const made: EngineSettings[] = [];
    let now = 0;
    const engine = await remote({ url: server.url, fallback: HOG }, made, () => now);
    expect(made).toEqual([]);
    for (let run = 0; run < 3; run += 1) expect(await detect(engine)).toEqual([FALLBACK]);
    expect(made).toEqual([HOG]);
    // One login that failed; then it was left alone.
    expect(server.asked).toHaveLength(1);
    now = 40_000;
    await detect(engine);
    expect(server.asked).toHaveLength(2);
    server.answer = mlapiAnswers();
    now = 80_000;
    expect(await detect(engine)).toEqual(FOUND);
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      "The detection server does not answer; the engine on this machine takes over",
      "The detection server answers again",
    ]);
    const closed = vi.spyOn(fallbackEngine, "close");
    await engine.close();
    expect(closed).toHaveBeenCalledOnce();
  });

  test("may fail too: then both reasons are told, and it is tried again", async () => {
    const server = await start(() => ({ status: 500 }));
    let tries = 0;
    const createEngine = async (): Promise<Engine> => {
      tries += 1;
      throw new Error("no model");
    };
    const engine = await createRemoteEngine({ ...SETTINGS, url: server.url, fallback: HOG }, OPTIONS, {
      createEngine,
    });
    await expect(detect(engine)).rejects.toThrow(
      /answered the login with 500, and the engine that should take over cannot: no model/,
    );
    await expect(detect(engine)).rejects.toThrow("no model");
    expect(tries).toBe(2);
    await engine.close();
  });

  test("is not needed for errors to be told, once in the log and to everyone who asks", async () => {
    const server = await start(() => ({ status: 500 }));
    const engine = await remote({ url: server.url });
    for (let run = 0; run < 2; run += 1)
      await expect(detect(engine)).rejects.toThrow("answered the login with 500");
    expect(server.asked).toHaveLength(2);
    expect(lines).toHaveLength(1);
  });
});

const SETTINGS: RemoteSettings = {
  kind: "remote",
  protocol: "mlapi",
  url: "",
  user: "zm",
  password: "geheim",
  timeoutMs: 5_000,
  allowSelfSigned: true,
  fallback: null,
};
const logger = pino({ base: null }, { write: (line: string) => void lines.push(line) });
const OPTIONS = { threads: 1, cacheFolder: "/nonexistent", logger };

const FALLBACK = { label: "person", confidence: 0.5, box: [1, 2, 3, 4] as const };
const fallbackEngine: Engine = {
  description: "stand-in",
  labels: null,
  detect: async () => [FALLBACK],
  close: async () => {},
};

function remote(
  change: Partial<RemoteSettings>,
  made: EngineSettings[] = [],
  now = () => 0,
): Promise<Engine> {
  const createEngine = async (settings: EngineSettings): Promise<Engine> => {
    made.push(settings);
    return fallbackEngine;
  };
  return createRemoteEngine({ ...SETTINGS, ...change }, OPTIONS, {
    createEngine,
    clock: { now, monotonic: now },
  });
}

async function detect(engine: Engine, minConfidence = 0) {
  return engine.detect(await plainFrame(), aContext({ minConfidence }));
}

async function start(answer: (asked: Asked) => Answer): Promise<StandInServer> {
  const server = await startServer(certificate, answer);
  started.push(server);
  return server;
}

function mlapiAnswers(json: unknown = { matched_data: MATCHED, all_matches: [] }): (asked: Asked) => Answer {
  return ({ path, headers }) => {
    if (path === "/api/v1/login") return { json: { access_token: "token-1", expires: 3600 } };
    return headers.authorization === "Bearer token-1"
      ? { json }
      : { status: 401, json: { msg: "Missing Authorization Header" } };
  };
}

function afterLogin(answer: Answer): (asked: Asked) => Answer {
  return ({ path }) => (path.endsWith("/login") ? { json: { access_token: "token-1" } } : answer);
}
