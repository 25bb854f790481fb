import { describe, expect, it } from "vitest";
import { findDangers, findProblems } from "../../src/config/checks.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";

type Input = Parameters<typeof configSchema.parse>[0];
const configOf = (input: Input): Config =>
  configSchema.parse({ ssl: { enable: false }, ...(input as object) });
const dangers = (input: Input) =>
  findDangers(configOf(input), () => false, false).filter(({ path }) =>
    /^(pictures|customize|push)\./.test(path),
  );
const problems = (input: Input) => findProblems(configOf(input), "enable: no").map(({ path }) => path);

const PORTAL = "https://portal/zm/index.php?view=image&eid=EVENTID&fid=snapshot";
const OWN = { public_url: "https://cameras.example.org" };

describe("pictures that no message would carry are named before the start, with the way out", () => {
  it.each([
    ["a password of its own key", { picture_url: PORTAL, picture_portal_password: "x" }],
    ["a password in the address", { picture_url: `${PORTAL}&password=hunter2` }],
  ])("because of %s", (_why, customize) => {
    const [danger, ...more] = dangers({ customize: { ...customize, include_picture: true } });
    expect(more).toEqual([]);
    expect(danger?.path).toBe("customize.picture_url");
    expect(danger?.text).toContain("pictures.public_url");
    expect(danger?.text).toContain("pictures.allow_credentials_in_url");
    expect(danger?.text).not.toContain("hunter2");
  });

  it.each([
    ["nothing names one", { customize: { include_picture: true } }, "customize.include_picture"],
    ["they are switched off", { pictures: OWN }, "pictures.public_url"],
    [
      "phones refuse http",
      { customize: { include_picture: true }, pictures: { public_url: "http://10.0.0.1:9000" } },
      "pictures.public_url",
    ],
  ])("because %s", (_why, input, path) => {
    expect(dangers(input).map((danger) => danger.path)).toEqual([path]);
  });

  it.each([
    ["own links", { customize: { include_picture: true, picture_portal_password: "x" }, pictures: OWN }],
    ["a portal that asks for nothing", { customize: { include_picture: true, picture_url: PORTAL } }],
    [
      "somebody who insists",
      {
        customize: { include_picture: true, picture_url: `${PORTAL}&password=x` },
        pictures: { allow_credentials_in_url: true },
      },
    ],
    ["no pictures at all", {}],
  ])("but not with %s", (_what, input) => {
    expect(dangers(input)).toEqual([]);
  });
});

describe("the public address", () => {
  it.each(["https://cameras.example.org", "https://cameras.example.org:9000/zmes/", "http://10.0.0.1:9000"])(
    "may be %s",
    (public_url) => {
      expect(problems({ pictures: { public_url } })).toEqual([]);
    },
  );

  it.each([
    "cameras.example.org",
    "ftp://x",
    "https://u:p@host",
    "https://host/?a=b",
    "https://host/#x",
    "x",
  ])("may not be %s", (public_url) => {
    expect(problems({ pictures: { public_url } })).toEqual(["pictures.public_url"]);
  });
});

describe("the push script", () => {
  const push = (api_push_script: string | null) => ({ push: { use_api_push: true, api_push_script } });

  it("must be named where it is switched on", () => {
    expect(dangers(push(null)).map(({ path }) => path)).toEqual(["push.use_api_push"]);
  });

  it("may not have an open quote", () => {
    expect(problems(push("'/opt/push.py"))).toEqual(["push.api_push_script"]);
  });

  it("that needs a shell gets a warning", () => {
    expect(dangers(push("/opt/push.py | logger"))[0]?.text).toContain("no shell");
    expect(dangers(push("'/opt/push.py' --to me"))).toEqual([]);
  });
});
