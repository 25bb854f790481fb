// Plate Recognizer: what it is sent, how its answer is read, and what is said when it refuses.
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { createPlateEngine } from "../../../src/detect/engines/plates.ts";
import type { PlateSettings } from "../../../src/domain/detect-settings.ts";
import { aContext, plainFrame } from "../support/frames.ts";
import { type Answer, type StandInServer, startServer } from "../support/stand-in-server.ts";

const SETTINGS: PlateSettings = {
  kind: "plates",
  url: "",
  key: "s3cr3t",
  regions: [],
  payload: null,
  config: null,
  minDetectionScore: 0.3,
  minScore: 0.5,
  timeoutMs: 5_000,
};
const OPTIONS = { threads: 1, cacheFolder: "/nonexistent", logger: pino({ level: "silent" }) };

function plate(name: string, score: number, dscore: number, [xmin, ymin, xmax, ymax] = [10, 20, 60, 40]) {
  return {
    plate: name,
    score,
    dscore,
    box: { xmin, ymin, xmax, ymax },
    region: { code: "de", score: 0.9 },
    candidates: [],
  };
}
const RESULTS = {
  processing_time: 40.2,
  results: [
    plate("weak", 0.4, 0.9),
    plate("b1234", 0.7, 0.8),
    plate("far", 0.9, 0.2),
    plate("k99", 0.91, 0.9, [-5, 0, 400, 30]),
  ],
};

const started: StandInServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

test("a picture goes there with its key and settings, and plates come back that are sure enough", async () => {
  const server = await start(() => ({ status: 201, json: RESULTS }));
  const settings = {
    regions: ["de", "fr"],
    payload: { camera_id: "gate", mmc: true, tags: ["a", "b"] },
    config: { mode: "fast" },
  };
  expect(await detect({ url: `${server.url}/v1`, ...settings })).toEqual([
    { label: "alpr:k99", confidence: 0.91, box: [0, 0, 320, 30] },
    { label: "alpr:b1234", confidence: 0.7, box: [10, 20, 60, 40] },
  ]);
  const [asked] = server.asked;
  expect(asked?.path).toBe("/v1/plate-reader/");
  expect(asked?.headers.authorization).toBe("Token s3cr3t");
  expect(await asked?.form()).toEqual({
    upload: [await (await plainFrame()).jpeg()],
    regions: ["de", "fr"],
    camera_id: ["gate"],
    mmc: ["true"],
    tags: ["a", "b"],
    config: ['{"mode":"fast"}'],
  });
});

test("a program of one's own needs no key", async () => {
  const server = await start(() => ({ json: { results: [] } }));
  expect(await detect({ url: `${server.url}/v1/plate-reader/`, key: null })).toEqual([]);
  expect(server.asked[0]?.path).toBe("/v1/plate-reader/");
  expect(server.asked[0]?.headers.authorization).toBeUndefined();
});

test("what is less sure than the model must be stays out", async () => {
  const server = await start(() => ({ json: RESULTS }));
  expect((await detect({ url: server.url }, 0.8)).map(({ label }) => label)).toEqual(["alpr:k99"]);
});

test.each([429, 503])("after %i it is asked once more, as late as it says", async (status) => {
  const server = await start(() =>
    server.asked.length === 1
      ? { status, headers: { "retry-after": "0.05" } }
      : { status: 201, json: RESULTS },
  );
  expect(await detect({ url: server.url })).toHaveLength(2);
  expect(server.asked).toHaveLength(2);
});

describe("a refusal is told, without the key", () => {
  const now = { "retry-after": "0.01" };
  test.each([
    [
      { status: 403, json: { detail: "Invalid token." } },
      "answered 403 (Invalid token.): it does not accept the key: check alpr_key",
      1,
    ],
    [{ status: 413 }, "answered 413: the picture is too large", 1],
    [
      { status: 429, headers: now, json: { detail: "Request was throttled." } },
      "answered 429 (Request was throttled.): too many lookups",
      2,
    ],
    [{ status: 500, headers: now }, "answered 500", 2],
    [{ json: { results: "none" } }, "not Plate Recognizer's: check alpr_url", 1],
  ] as const)("%j", async (answer, message, asks) => {
    const server = await start(() => answer);
    const failure = String(await detect({ url: server.url }).catch(String));
    expect(failure).toContain(message);
    expect(failure).not.toContain("s3cr3t");
    expect(server.asked).toHaveLength(asks);
  });

  test("what it said is told when the time is up before the second try, at once when that would be much later", async () => {
    const busy = await start(() => ({ status: 429, headers: { "retry-after": "4" } }));
    await expect(detect({ url: busy.url, timeoutMs: 80 })).rejects.toThrow("answered 429: too many lookups");
    const full = await start(() => ({ status: 429, headers: { "retry-after": "3600" } }));
    await expect(detect({ url: full.url, timeoutMs: 60_000 })).rejects.toThrow("answered 429: too many");
    expect(full.asked).toHaveLength(1);
  });

  test("also when nobody answers in time", async () => {
    const silent = await start(() => () => {});
    await expect(detect({ url: silent.url, timeoutMs: 80 })).rejects.toThrow("did not answer within 0.08 s");
  });

  test("or when the address is none", async () => {
    await expect(createPlateEngine({ ...SETTINGS, url: "localhost:8080" }, OPTIONS)).rejects.toThrow(
      "alpr_url",
    );
  });
});

async function detect(change: Partial<PlateSettings>, minConfidence = 0) {
  const engine = await createPlateEngine({ ...SETTINGS, ...change }, OPTIONS);
  return engine.detect(await plainFrame(), aContext({ minConfidence }));
}

async function start(answer: () => Answer): Promise<StandInServer> {
  const server = await startServer(null, answer);
  started.push(server);
  return server;
}
