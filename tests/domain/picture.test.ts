import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasCredentials, portalPicture, wantedPicture } from "../../src/domain/picture.ts";
import { anAlarm } from "../support/builders.ts";

const PORTAL = "https://portal/zm/index.php?view=image";
const settings = (
  picture_url: string | null,
  user: string | null = null,
  password: string | null = null,
) => ({
  include_picture: true,
  picture_url,
  picture_portal_username: user,
  picture_portal_password: password,
});

describe("the address of a picture at the portal", () => {
  it.each([
    ["eid=EVENTID&fid=snapshot", "Motion", "eid=5060&fid=snapshot"],
    ["eid=EVENTID&fid=BESTMATCH", "[a] detected:person", "eid=5060&fid=alarm"],
    ["eid=EVENTID&fid=BESTMATCH", "[s] detected:person", "eid=5060&fid=snapshot"],
    ["eid=EVENTID&fid=BESTMATCH", "Motion", "eid=5060&fid=alarm"],
    ["eid=EVENTID&fid=objdetect", "Motion", "eid=5060&fid=snapshot"],
    ["eid=EVENTID&fid=objdetect_jpg&width=600", "Motion", "eid=5060&fid=snapshot&width=600"],
    ["eid=EVENTID&fid=objdetect_image", "Motion", "eid=5060&fid=snapshot"],
  ])("%s with the cause %s becomes %s", (query, cause, expected) => {
    const url = portalPicture(settings(`${PORTAL}&${query}`), anAlarm({ cause }), false);
    expect(url).toBe(`${PORTAL}&${expected}`);
  });

  it("keeps the picture of a hook that found something", () => {
    const template = `${PORTAL}&eid=EVENTID&fid=objdetect_jpg`;
    expect(portalPicture(settings(template), anAlarm(), true)).toBe(`${PORTAL}&eid=5060&fid=objdetect_jpg`);
  });

  it("gets user and password, encoded, only where somebody configured them", () => {
    const url = portalPicture(settings(`${PORTAL}&eid=EVENTID`, "an&na", "p&w d"), anAlarm(), true);
    expect(url).toBe(`${PORTAL}&eid=5060&username=an%26na&password=p%26w%20d`);
  });

  it("is none without an event, and none without a template", () => {
    expect(portalPicture(settings(PORTAL), anAlarm({ eventId: null }), true)).toBeNull();
    expect(portalPicture(settings(null), anAlarm(), true)).toBeNull();
  });
});

describe("a password in the address", () => {
  it.each([
    `${PORTAL}&username=admin`,
    `${PORTAL}&eid=EVENTID&password=x`,
    `${PORTAL};user=a&pass=b`,
    `${PORTAL}&token=eyJ`,
    `${PORTAL}&AUTH=0123`,
    `${PORTAL}&%70assword=x`,
    "https://admin:secret@portal/zm/index.php?view=image",
    "https://admin:se/cret@portal/zm/?view=image",
    "https://portal/#token=x",
  ])("is seen in %s", (url) => {
    expect(hasCredentials(settings(url))).toBe(true);
  });

  it("is seen where it has keys of its own", () => {
    expect(hasCredentials(settings(PORTAL, "admin", null))).toBe(true);
    expect(hasCredentials(settings(PORTAL, null, "x"))).toBe(true);
  });

  it.each([PORTAL, `${PORTAL}&eid=EVENTID&fid=BESTMATCH&width=600`, "https://portal/EVENTID.jpg"])(
    "is not seen in %s",
    (url) => {
      expect(hasCredentials(settings(url))).toBe(false);
    },
  );
});

describe("the picture that a link of our own shows", () => {
  it.each([
    [null, "Motion", { kind: "best", width: 800 }],
    [`${PORTAL}&eid=EVENTID&fid=snapshot&width=600`, "Motion", { kind: "snapshot", width: 600 }],
    [`${PORTAL}&fid=BESTMATCH`, "[s] detected:cat", { kind: "snapshot", width: 800 }],
    [`${PORTAL}&fid=BESTMATCH`, "Motion", { kind: "best", width: 800 }],
    [`${PORTAL}&fid=objdetect_gif`, "Motion", { kind: "objdetect_gif", width: 800 }],
    [`${PORTAL}&fid=21`, "Motion", { kind: 21, width: 800 }],
    [`${PORTAL}&fid=../../etc/passwd&width=999999`, "Motion", { kind: "best", width: 800 }],
  ])("of %s and %s", (template, cause, expected) => {
    expect(wantedPicture(template, anAlarm({ cause }))).toEqual(expected);
  });

  it("is one that exists, whatever the template", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (template, cause) => {
        const { kind, width } = wantedPicture(`?fid=${template}&width=${template}`, anAlarm({ cause }));
        expect(typeof kind === "number" ? kind : 1).toBeGreaterThan(0);
        expect(width).toBeGreaterThanOrEqual(32);
        portalPicture(settings(template), anAlarm({ cause }), false);
        hasCredentials(settings(template));
      }),
    );
  });
});
