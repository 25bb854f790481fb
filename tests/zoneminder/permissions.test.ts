import { describe, expect, it } from "vitest";
import type { MonitorId } from "../../src/domain/monitor.ts";
import { type Grants, rightsFrom } from "../../src/zoneminder/permissions.ts";

const ids = (...numbers: number[]) => numbers as MonitorId[];
const existing = ids(1, 2, 3, 4);

function grants(
  change: Partial<Pick<Grants, "events" | "monitors">> & {
    own?: Record<number, string>;
    groups?: [string, number[]][];
  } = {},
): Grants {
  const { own = {}, groups = [], ...areas } = change;
  return {
    events: "View",
    monitors: "View",
    ...areas,
    perMonitor: new Map(Object.entries(own).map(([id, word]) => [Number(id) as MonitorId, word])),
    perGroup: groups.map(([permission, monitors]) => ({ permission, monitors: new Set(ids(...monitors)) })),
  };
}

const seen = (rights: ReturnType<typeof rightsFrom>) => (rights === "all" ? "all" : [...rights]);

describe("up to 1.36 a user may see", () => {
  it.each([
    ["all with an empty list", "View", "", "all"],
    ["all with a list of blanks", "Edit", "  ", "all"],
    ["those listed", "View", "1,3", [1, 3]],
    ["those listed, blanks or not", "View", " 2 , 4 ", [2, 4]],
    ["none that do not exist", "View", "9", []],
    ["nothing with a list that lists nothing", "View", "x,", []],
    ["nothing without the right to events", "None", "", []],
    ["nothing with an unknown word for events", "", "1", []],
  ])("%s", (_name, events, monitorIds, expected) => {
    expect(seen(rightsFrom({ model: "list", events, monitorIds }, existing))).toEqual(expected);
  });
});

describe("from 1.37.27 a user may see", () => {
  it.each<[string, Grants, "all" | number[]]>([
    ["all without any row", grants(), "all"],
    [
      "all with rows that inherit or allow",
      grants({ own: { 1: "Inherit", 2: "Edit" }, groups: [["View", [3]]] }),
      "all",
    ],
    ["all when monitors may even be created", grants({ monitors: "Create" }), "all"],
    ["nothing without the right to events", grants({ events: "None", own: { 1: "View" } }), []],
    ["all but a monitor held back", grants({ own: { 2: "None" } }), [1, 3, 4]],
    ["only a monitor allowed", grants({ monitors: "None", own: { 2: "View" } }), [2]],
    [
      "only the monitors of a group allowed",
      grants({ monitors: "None", groups: [["Edit", [1, 4]]] }),
      [1, 4],
    ],
    ["all but the monitors of a group held back", grants({ groups: [["None", [1, 4]]] }), [2, 3]],
    [
      "not what one group allows and another holds back",
      grants({
        monitors: "None",
        groups: [
          ["View", [1, 2]],
          ["None", [2, 3]],
        ],
      }),
      [1],
    ],
    [
      "what its own row allows, whatever the groups say",
      grants({ own: { 1: "View", 2: "Inherit" }, groups: [["None", [1, 2]]] }),
      [1, 3, 4],
    ],
    ["not a monitor whose row holds an unknown word", grants({ own: { 3: "" } }), [1, 2, 4]],
    ["what the area says where a group inherits", grants({ groups: [["Inherit", [1]]] }), "all"],
  ])("%s", (_name, user, expected) => {
    expect(seen(rightsFrom({ model: "tables", user, role: null }, existing))).toEqual(expected);
  });
});

describe("from 1.38 a user with a role may see", () => {
  const none = { monitors: "None", events: "None" };
  it.each<[string, Grants, Grants, "all" | number[]]>([
    ["what the role allows where the user has nothing", grants(none), grants(), "all"],
    ["nothing when neither may see events", grants(none), grants({ events: "None" }), []],
    ["no monitors when neither may", grants(none), grants({ monitors: "None" }), []],
    ["all but what the role holds back", grants(), grants({ own: { 1: "None" } }), [2, 3, 4]],
    [
      "what the own row allows although the role does not",
      grants({ own: { 1: "View" } }),
      grants({ own: { 1: "None", 2: "None" } }),
      [1, 3, 4],
    ],
    [
      "what the own group allows although the role does not",
      grants({ groups: [["View", [1]]] }),
      grants({ own: { 1: "None" } }),
      [1, 2, 3, 4],
    ],
    [
      "what the role's monitor row allows, whatever its groups say",
      grants(none),
      grants({ own: { 1: "View" }, groups: [["None", [1, 2]]] }),
      [1, 3, 4],
    ],
    [
      "what the role's groups allow",
      grants(none),
      grants({ monitors: "None", groups: [["View", [2]]] }),
      [2],
    ],
    ["all by its own area although the role has none", grants(), grants(none), "all"],
  ])("%s", (_name, user, role, expected) => {
    expect(seen(rightsFrom({ model: "tables", user, role }, existing))).toEqual(expected);
  });
});
