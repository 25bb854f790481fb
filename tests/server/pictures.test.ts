import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Rights } from "../../src/domain/recipient.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { createPictureMaker, type PictureSource } from "../../src/server/picture-maker.ts";
import { createPictures, type Pictures, type PicturesOptions } from "../../src/server/pictures.ts";
import { createKeyFile, rotateKey } from "../../src/store/key-file.ts";
import { createKnownRights } from "../../src/store/known-rights.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aGif, aJpeg } from "../support/pictures.ts";
import { recordingLogger, startServer, type TestServer } from "../support/server.ts";

const PORTAL = "https://portal/zm/index.php?view=image&eid=EVENTID&fid=snapshot";

interface Scene {
  readonly pictures: Pictures;
  readonly server: TestServer;
  readonly rights: Map<string, Rights | null>;
  /** What there is to be seen, by event. */
  readonly seen: Map<number, Buffer>;
  finds: number;
  isDatabaseAway: boolean;
  get(path: string, init?: RequestInit): Promise<Response>;
  link(user?: string | null, event?: number, monitor?: number): string | null;
  path(user?: string, event?: number, monitor?: number): string;
}

interface Change {
  readonly pictures?: Partial<PicturesOptions["pictures"]>;
  readonly customize?: Partial<PicturesOptions["customize"]>;
  readonly auth?: boolean;
  readonly clock?: Clock;
  readonly source?: PictureSource;
}

describe("pictures", () => {
  let folder = "";
  let log: Record<string, unknown>[] = [];
  const stops: (() => Promise<void>)[] = [];
  /** What the data directory keeps over a restart. */
  const facts = new Map<string, unknown>();
  let jpeg: Buffer;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "zmes-pictures-"));
    log = [];
    facts.clear();
    jpeg = await aJpeg(1920, 1080);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function scene(change: Change = {}): Promise<Scene> {
    const rights = new Map<string, Rights | null>([
      ["anna", "all"],
      ["bert", new Set([mid(2)])],
    ]);
    const seen = new Map([[5060, jpeg]]);
    const logger = recordingLogger(log);
    const source: PictureSource = change.source ?? {
      find: async ({ event, monitor }) => {
        made.finds += 1;
        const bytes = seen.get(event);
        if (bytes === undefined || monitor !== 1) return null;
        return { stamp: `${event}:${bytes.length}`, read: async () => bytes };
      },
    };
    const pictures = createPictures({
      pictures: {
        public_url: "https://cameras.example.org/zmes/",
        expires_after: 86_400,
        allow_credentials_in_url: false,
        allow_public: false,
        ...change.pictures,
      },
      customize: {
        include_picture: true,
        picture_url: null,
        picture_portal_username: null,
        picture_portal_password: null,
        ...change.customize,
      },
      auth: { enable: change.auth ?? true },
      key: createKeyFile({ directory: folder, logger }),
      rights: createKnownRights({
        source: {
          async rightsOf(users) {
            if (made.isDatabaseAway) throw new Error("database away");
            return new Map(users.map((user) => [user, rights.get(user) ?? null]));
          },
        },
        memory: {
          fact: async (key) => facts.get(key),
          putFact: (key, value) => void facts.set(key, JSON.parse(JSON.stringify(value))),
        },
        clock: change.clock ?? systemClock,
      }),
      maker: createPictureMaker({ source, logger }),
      clock: change.clock ?? systemClock,
      logger,
    });
    await pictures.start(new AbortController().signal);
    const server = await startServer({ pictureDoor: pictures, network: { trusted_proxies: ["127.0.0.1"] } });
    stops.push(server.stop, pictures.stop);
    const made: Scene = {
      pictures,
      server,
      rights,
      seen,
      finds: 0,
      isDatabaseAway: false,
      get: (path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, init),
      link: (user = "anna", event = 5060, monitor = 1) =>
        pictures.pictureFor(anAlarm({ eventId: eid(event), monitor: aMonitor({ id: mid(monitor) }) }), user),
      path: (user, event, monitor) =>
        (made.link(user, event, monitor) ?? "").replace("https://cameras.example.org/zmes", ""),
    };
    return made;
  }

  async function expectNothing(response: Response, status = 404): Promise<void> {
    expect(response.status).toBe(status);
    expect(await response.text()).toBe("");
  }

  describe("a link", () => {
    it("shows the picture, smaller, and is kept by nobody", async () => {
      const { get, path, link } = await scene();
      expect(link()).toMatch(/^https:\/\/cameras\.example\.org\/zmes\/p\/[\w-]+$/);
      const response = await get(path());
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "image/jpeg",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get("content-length")).toBe(String(bytes.length));
      expect(await sharp(bytes).metadata()).toMatchObject({ format: "jpeg", width: 800, height: 450 });
    });

    it("answers HEAD with the same headers and no body", async () => {
      const { get, path } = await scene();
      const response = await get(path(), { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(Number(response.headers.get("content-length"))).toBeGreaterThan(500);
      expect(await response.text()).toBe("");
    });

    it("is as wide as picture_url asks for, but never wider than the picture", async () => {
      const wide = await scene({ customize: { picture_url: `${PORTAL}&width=320` } });
      const widthOf = async ({ get, path }: Scene) =>
        (await sharp(Buffer.from(await (await get(path())).arrayBuffer())).metadata()).width;
      expect(await widthOf(wide)).toBe(320);
      const small = await scene();
      small.seen.set(5060, await aJpeg(100, 80));
      expect(await widthOf(small)).toBe(100);
    });

    it("shows the first frame of a moving picture", async () => {
      const { get, path, seen } = await scene();
      seen.set(5060, await aGif());
      const response = await get(path());
      expect(response.headers.get("content-type")).toBe("image/jpeg");
      expect((await sharp(Buffer.from(await response.arrayBuffer())).metadata()).format).toBe("jpeg");
    });

    it("is another one for each user, and each shows what its user may see", async () => {
      const { get, path } = await scene();
      expect(path("anna")).not.toBe(path("bert"));
      expect((await get(path("anna"))).status).toBe(200);
      await expectNothing(await get(path("bert")));
    });

    it("is judged by the last known rights while the database is away, after a restart too", async () => {
      const first = await scene();
      for (const user of ["anna", "bert"]) await (await first.get(first.path(user))).arrayBuffer();
      await eventually(() => expect(facts.size).toBe(1));
      const second = await scene();
      second.isDatabaseAway = true;
      const statusFor = async (user: string) => (await second.get(second.path(user))).status;
      expect([await statusFor("anna"), await statusFor("bert"), await statusFor("carl")]).toEqual([
        200, 404, 503,
      ]);
      const unknown = await second.get(second.path("carl"));
      expect(unknown.headers.get("retry-after")).toBe("10");
      expect(await unknown.text()).toMatch(/^ZoneMinder's database does not answer, .* Try again later\.\n$/);
    });

    it("is void the moment its user is disabled or loses the right, and works again when that is taken back", async () => {
      const { get, path, rights } = await scene();
      const link = path();
      rights.set("anna", null);
      await expectNothing(await get(link));
      rights.set("anna", new Set([mid(2)]));
      await expectNothing(await get(link));
      rights.set("anna", "all");
      expect((await get(link)).status).toBe(200);
    });

    it("is void when its time is over", async () => {
      let now = 1_800_000_000_000;
      const clock = { now: () => now, monotonic: systemClock.monotonic };
      const { get, path } = await scene({ clock, pictures: { expires_after: 60 } });
      const link = path();
      now += 59_000;
      expect((await get(link)).status).toBe(200);
      now += 1_000;
      await expectNothing(await get(link));
    });

    it("is void at once when the key is exchanged", async () => {
      const { get, path } = await scene();
      const link = path();
      await rotateKey(folder);
      await expectNothing(await get(link));
      expect((await get(path())).status).toBe(200);
    });

    it("shows nothing of events that do not exist", async () => {
      const { get, path } = await scene();
      await expectNothing(await get(path("anna", 5061)));
    });

    it("of a picture that is none shows nothing", async () => {
      const { get, path, seen } = await scene();
      seen.set(
        5060,
        Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(500), Buffer.from([0xff, 0xd9])]),
      );
      await expectNothing(await get(path()));
    });

    it("is never logged whole", async () => {
      const { get, path } = await scene();
      const link = path("bert");
      await get(link);
      await get(`${link}x`);
      await get(path());
      expect(log.length).toBeGreaterThan(1);
      expect(JSON.stringify(log)).not.toContain(link.slice(3, 30));
    });
  });

  it("anything else is answered with 404 and nothing", async () => {
    const { get, path } = await scene();
    for (const other of [
      "/p",
      "/p/",
      "/p/x",
      `${path()}/`,
      `${path()}x`,
      "/p/%",
      "/p/..%2f..%2fetc%2fpasswd",
      "/p/%00",
    ])
      await expectNothing(await get(other));
    await expectNothing(await get(path(), { method: "POST" }));
  });

  it("no text in the place of the id is ever served, looked for on the disk, or the end of the server", async () => {
    const made = await scene();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1, maxLength: 100 }), async (text) => {
        const answer = await made.pictures.answer({
          id: text,
          address: `10.${text.length}.0.${Math.random()}`,
        });
        expect(answer.status).toBe(404);
      }),
      { numRuns: 500 },
    );
    expect(made.finds).toBe(0);
  });

  it("an address that asks too often is told to wait; others are not", async () => {
    const { get, path } = await scene();
    const link = path();
    const from = (address: string) => get(link, { headers: { "x-forwarded-for": address } });
    const answers = await Promise.all(Array.from({ length: 80 }, () => from("203.0.113.9")));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(5);
    expect((await from("203.0.113.10")).status).toBe(200);
  });

  it("is asked for again where nobody can say now where it is, and is not called missing", async () => {
    const { get, path } = await scene({ source: { find: async () => "unknown" } });
    const answer = await get(path());
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("10");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.text()).toBe(
      "ZoneMinder's database does not answer, so it is not known where the picture is. Try again later.\n",
    );
  });

  it("twenty phones that ask at once cost one", async () => {
    let reads = 0;
    const source: PictureSource = {
      find: async () => ({
        stamp: "same",
        read: async () => {
          reads += 1;
          return jpeg;
        },
      }),
    };
    const { get, path } = await scene({ source });
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(path())));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(reads).toBe(1);
  });

  it("a picture that got better is shown anew; one that is just being written is asked for again", async () => {
    let version = 0;
    const source: PictureSource = {
      find: async () => ({ stamp: `v${version}`, read: async () => (version++ === 0 ? null : jpeg) }),
    };
    const { get, path } = await scene({ source });
    expect((await get(path())).status).toBe(200);
    expect(version).toBe(2);
    await get(path());
    expect(version).toBe(3);
  });

  describe("in messages", () => {
    it("are none when nobody wants them, none without an event, and none for a phone without owner", async () => {
      const off = await scene({ customize: { include_picture: false } });
      expect([off.link(), off.pictures.isOn]).toEqual([null, false]);
      const on = await scene();
      expect(on.pictures.isOn).toBe(true);
      expect(on.pictures.pictureFor(anAlarm({ eventId: null }), "anna")).toBeNull();
      expect(on.link(null)).toBeNull();
    });

    it("are the portal's where there is no address of our own, unless that would give a password away", async () => {
      const none = { public_url: null };
      const open = await scene({ pictures: none, customize: { picture_url: PORTAL } });
      expect(open.link(null)).toBe("https://portal/zm/index.php?view=image&eid=5060&fid=snapshot");
      const secret = { picture_url: PORTAL, picture_portal_username: "admin", picture_portal_password: "x" };
      const closed = await scene({ pictures: none, customize: secret });
      expect([closed.link(), closed.pictures.isOn]).toEqual([null, false]);
      const insisting = { ...none, allow_credentials_in_url: true };
      expect((await scene({ pictures: insisting, customize: secret })).link()).toContain("&password=x");
    });

    it("never have a password in them where there is an address of our own", async () => {
      const secret = { picture_url: `${PORTAL}&token=abc`, picture_portal_password: "hunter2" };
      const { link } = await scene({ customize: secret });
      expect(link()).not.toMatch(/abc|hunter2/);
    });
  });

  describe("where nobody has to log in", () => {
    const from = (address: string) => ({ headers: { "x-forwarded-for": address } });

    it("are for private addresses only", async () => {
      const { get, path, rights, link } = await scene({ auth: false });
      rights.set("", "all");
      expect(link(null)).not.toBeNull();
      expect((await get(path(""), from("192.168.1.7"))).status).toBe(200);
      await expectNothing(await get(path(""), from("203.0.113.7")));
    });

    it("are for everybody when a key says so", async () => {
      const { get, path, rights } = await scene({ auth: false, pictures: { allow_public: true } });
      rights.set("", "all");
      expect((await get(path(""), from("203.0.113.7"))).status).toBe(200);
    });

    it("are void when logins are switched on later", async () => {
      const open = await scene({ auth: false });
      const link = open.path("");
      await open.server.stop();
      const closed = await scene();
      closed.rights.set("", "all");
      await expectNothing(await closed.get(link));
    });
  });

  it("nothing is left on the disk but the key", async () => {
    const { get, path } = await scene();
    await get(path());
    expect(readdirSync(folder)).toEqual(["picture-links.key"]);
  });
});
