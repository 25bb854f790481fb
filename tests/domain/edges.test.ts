import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Edge,
  type EdgeTraits,
  isWaiting,
  newTracker,
  nextEdge,
  noteTold,
  type Reading,
  settleEvent,
  type Tracker,
} from "../../src/domain/edges.ts";
import { aReading, eid, traits } from "../support/builders.ts";

/** Plays readings 10 ms apart and returns every edge as a short text. */
function play(
  readings: readonly (Reading | null)[],
  how: Partial<EdgeTraits> = {},
  tracker = quietTracker(),
) {
  const edges: string[] = [];
  let current: Tracker = tracker;
  for (const [index, reading] of readings.entries()) {
    const step = nextEdge(current, reading, index * 10, traits(how));
    current = step.tracker;
    edges.push(...step.edges.map(show));
  }
  return { edges, tracker: current };
}

function quietTracker(): Tracker {
  return newTracker(false, null);
}

function show(edge: Edge): string {
  if (edge.kind === "ended") return "ended";
  const flags = [edge.late ? " late" : "", edge.doubtful ? " doubtful" : ""].join("");
  return `started ${edge.event ?? "none"}/${edge.edge}${flags}`;
}

const { idle, alarm, alert, tape } = {
  idle: (event: number | null) => aReading("idle", event),
  alarm: (event: number | null) => aReading("alarm", event),
  alert: (event: number | null) => aReading("alert", event),
  tape: (event: number | null) => aReading("tape", event),
};

describe("an alarm of a monitor that records on motion (1.36)", () => {
  it("begins with ALARM and ends with IDLE", () => {
    expect(play([idle(7), alarm(8), idle(8)]).edges).toEqual(["started 8/1", "ended"]);
  });

  it("also begins with ALERT, when ALARM passed between two looks", () => {
    expect(play([idle(7), alert(8), idle(8)]).edges).toEqual(["started 8/1", "ended"]);
  });

  it("is one alarm however often it flips between ALERT and ALARM", () => {
    expect(play([idle(7), alarm(8), alert(8), alarm(8), alert(8), idle(8)]).edges).toEqual([
      "started 8/1",
      "ended",
    ]);
  });

  it("takes the id that was written before the state", () => {
    expect(play([idle(7), idle(8), alarm(8)]).edges).toEqual(["started 8/1"]);
  });

  it("is followed by another when the event id changes during it", () => {
    expect(play([idle(7), alarm(8), alarm(9), idle(9)]).edges).toEqual([
      "started 8/1",
      "ended",
      "started 9/1",
      "ended",
    ]);
  });

  it("is doubted when its id is the one of the alarm before: the new event could not be opened", () => {
    const { edges, tracker } = play([idle(7), alarm(8), idle(8), alarm(8)]);
    expect(edges).toEqual(["started 8/1", "ended", "started 8/2 doubtful"]);
    expect(settleEvent(tracker, eid(8), null)).toMatchObject({ phase: "alarmed", event: null });
  });

  it("does not begin with PREALARM", () => {
    expect(play([idle(7), aReading("prealarm", 7), idle(7)]).edges).toEqual([]);
  });
});

describe("several alarms inside one continuous event", () => {
  it("are each an alarm, counted", () => {
    const how = { recording: "always" } as const;
    expect(play([tape(7), alarm(7), alert(7), tape(7), alarm(7), tape(7)], how).edges).toEqual([
      "started 7/1",
      "ended",
      "started 7/2",
      "ended",
    ]);
  });

  it("are told at once also where the id comes after the state (1.38), for it will not change", () => {
    const how = { recording: "always", idBeforeState: false } as const;
    expect(play([idle(7), alarm(7)], how).edges).toEqual(["started 7/1"]);
  });

  it("begin anew in the next section of the recording", () => {
    const how = { recording: "always" } as const;
    expect(play([tape(7), alarm(7), tape(7), tape(8), alarm(8)], how).edges).toEqual([
      "started 7/1",
      "ended",
      "started 8/1",
    ]);
  });
});

describe("where ALARM is visible before the event's id (to 1.34.16, from 1.37.50)", () => {
  const late = { idBeforeState: false } as const;

  it("the alarm waits for the id and one more look for the cause", () => {
    const readings = [idle(7), aReading("alarm", 7, "old"), aReading("alarm", 8, "old")];
    const { edges, tracker } = play(readings, late);
    expect(edges).toEqual([]);
    const settled = nextEdge(tracker, aReading("alarm", 8, "Motion:Drive"), 40, traits(late));
    expect(settled.edges).toEqual([
      { kind: "started", event: 8, edge: 1, cause: "Motion:Drive", late: false, doubtful: false },
    ]);
  });

  it("the alarm is told after the deadline all the same, with a doubt", () => {
    const { tracker } = play([idle(7), alarm(7)], late);
    expect(isWaiting(tracker)).toBe(true);
    const early = nextEdge(tracker, alarm(7), 1_400, traits(late));
    expect(early.edges).toEqual([]);
    const step = nextEdge(early.tracker, alarm(7), 1_600, traits(late));
    expect(step.edges.map(show)).toEqual(["started 7/1 doubtful"]);
  });

  it("an id that comes after the deadline belongs to the alarm already told", () => {
    const { tracker } = play([idle(null), alarm(null)], late);
    const told = nextEdge(tracker, alarm(null), 2_000, traits(late));
    expect(told.edges.map(show)).toEqual(["started none/1"].map((text) => `${text} doubtful`));
    const named = nextEdge(told.tracker, alarm(9), 2_010, traits(late));
    expect(named.edges).toEqual([]);
    expect(nextEdge(named.tracker, idle(9), 2_020, traits(late)).edges.map(show)).toEqual(["ended"]);
  });

  it("an alarm that is over before its id came is told, then ended", () => {
    expect(play([idle(7), alarm(7), idle(8)], late).edges).toEqual(["started 8/1", "ended"]);
  });

  it("an alarm whose memory vanishes before its id came is told without an event", () => {
    expect(play([idle(7), alarm(7), null], late).edges).toEqual(["started none/1", "ended"]);
  });
});

describe("a monitor that records nothing", () => {
  it("has alarms without an event, whatever id is left in memory", () => {
    const how = { recording: "none" } as const;
    expect(play([idle(7), alarm(7), idle(7), alarm(7)], how).edges).toEqual([
      "started none/1",
      "ended",
      "started none/1",
    ]);
  });
});

describe("an alarm shorter than the time between two looks", () => {
  const modern = { idBeforeState: false } as const;

  it("is told by the event it left behind, then ended", () => {
    expect(play([idle(7), idle(8), idle(8)], modern).edges).toEqual(["started 8/1", "ended"]);
    expect(play([idle(null), aReading("prealarm", 8)], modern).edges).toEqual(["started 8/1", "ended"]);
  });

  it("is not made of a section of continuous recording, nor of a mode that is not known", () => {
    expect(play([idle(7), idle(8)], { ...modern, recording: "always" }).edges).toEqual([]);
    expect(play([tape(7), tape(8)], modern).edges).toEqual([]);
    expect(play([idle(7), idle(8)], { ...modern, recording: "unknown" }).edges).toEqual([]);
  });

  it("is not made of an id that comes before its state", () => {
    expect(play([idle(7), idle(8), alarm(8)]).edges).toEqual(["started 8/1"]);
  });

  it("is not made of what was in memory at the first look, or came up while nobody looked", () => {
    expect(play([idle(8)], modern).edges).toEqual([]);
    expect(play([idle(7), idle(8)], { ...modern, isWatchedThroughout: false }).edges).toEqual([]);
  });
});

describe("a monitor that was switched to recording a moment ago", () => {
  it("has alarms with the event that appears, though the database said that it records nothing", () => {
    expect(play([idle(7), alarm(8)], { recording: "none" }).edges).toEqual(["started 8/1"]);
    const later = { recording: "none", idBeforeState: false } as const;
    expect(play([idle(7), alarm(8), alarm(8)], later).edges).toEqual(["started 8/1"]);
  });
});

describe("a camera process that goes away", () => {
  it("ends the alarm when the memory comes back at rest", () => {
    expect(play([idle(7), alarm(8), null, null, idle(null), idle(null)]).edges).toEqual([
      "started 8/1",
      "ended",
    ]);
  });

  it("brings a new alarm when it comes back with a new event", () => {
    expect(play([idle(7), alarm(8), null, idle(null), alarm(9)]).edges).toEqual([
      "started 8/1",
      "ended",
      "started 9/1",
    ]);
  });

  it("does not bring the same alarm twice when the memory was only unreadable for a moment", () => {
    expect(play([idle(7), alarm(8), null, alarm(8), idle(8)]).edges).toEqual(["started 8/1", "ended"]);
  });

  it("ends the alarm when it stays away", () => {
    const { tracker } = play([idle(7), alarm(8), null]);
    expect(nextEdge(tracker, null, 5_000, traits()).edges.map(show)).toEqual(["ended"]);
  });

  it("never takes the 0 of a fresh memory for an event", () => {
    expect(play([idle(7), alarm(8), alarm(null), alarm(8)]).edges).toEqual(["started 8/1"]);
  });
});

describe("the first look after the program started", () => {
  it("finds a running alarm and marks it late", () => {
    expect(play([alarm(8), idle(8)], {}, newTracker(true, null)).edges).toEqual([
      "started 8/1 late",
      "ended",
    ]);
  });

  it("does not tell again what was told before the restart and is still running", () => {
    const remembered = { event: eid(8), edge: 2, open: true };
    expect(play([alarm(8), idle(8)], {}, newTracker(true, remembered)).edges).toEqual(["ended"]);
  });

  it.each([
    ["is over", [idle(8)], ["ended"]],
    ["is over, and its camera is gone", [null], ["ended"]],
    ["gave way to another", [alarm(9)], ["ended", "started 9/1 late"]],
  ])("ends once what was told before the restart and %s", (_, readings, expected) => {
    const remembered = { event: eid(8), edge: 1, open: true };
    expect(play([...readings, ...readings], {}, newTracker(true, remembered)).edges).toEqual(expected);
  });

  it("tells a further alarm inside the event told before the restart", () => {
    const remembered = { event: eid(8), edge: 2, open: false };
    const edges = play([alarm(8)], { recording: "always" }, newTracker(true, remembered)).edges;
    expect(edges).toEqual(["started 8/3 late"]);
  });

  it("ends the alarm told before the restart when it is over, or another one runs", () => {
    const remembered = { event: eid(8), edge: 1, open: true };
    expect(play([idle(8)], {}, newTracker(true, remembered)).edges).toEqual(["ended"]);
    expect(play([null, idle(8)], {}, newTracker(true, remembered)).edges).toEqual(["ended"]);
    expect(play([alarm(9)], {}, newTracker(true, remembered)).edges).toEqual(["ended", "started 9/1 late"]);
  });

  it("is not late for a camera that came up later", () => {
    expect(play([null, alarm(8)], {}, newTracker(true, null)).edges).toEqual(["started 8/1"]);
  });
});

describe("an alarm told after the fact, from the database", () => {
  it("makes the next live one inside its event count on from it", () => {
    const how = { recording: "always" } as const;
    const { tracker } = play([tape(7), alarm(7), tape(7)], how);
    expect(play([alarm(7)], how, noteTold(tracker, eid(7), 2)).edges).toEqual(["started 7/3"]);
  });

  it("changes nothing where another event has begun", () => {
    const { tracker } = play([idle(7), alarm(8), idle(8)]);
    expect(noteTold(tracker, eid(7), 4)).toBe(tracker);
  });
});

const anyReading = fc.option(
  fc.record({
    state: fc.constantFrom("unknown", "idle", "prealarm", "alarm", "alert", "tape"),
    lastEvent: fc.option(fc.integer({ min: 1, max: 4 }).map(eid)),
    cause: fc.string({ maxLength: 5 }),
  }),
);

describe("whatever the memory says", () => {
  it("beginnings and ends alternate, and every edge into an alarm begins exactly one", () => {
    const anyTraits = fc.record({
      idBeforeState: fc.boolean(),
      recording: fc.constantFrom("none", "on-motion", "always", "unknown"),
      closesEventOnAlarm: fc.constantFrom(true, false, null),
      eventIdWaitMs: fc.constantFrom(0, 30, 1500),
    });
    fc.assert(
      fc.property(fc.array(anyReading, { maxLength: 60 }), anyTraits, fc.boolean(), (readings, how, late) => {
        const rest = [idle(null), idle(null)];
        const { edges, tracker } = play([...readings, ...rest], how as EdgeTraits, newTracker(late, null));
        const kinds = edges.map((text) => text.split(" ")[0]);
        expect(kinds).toEqual(kinds.map((_, index) => (index % 2 === 0 ? "started" : "ended")));
        expect(kinds.length % 2).toBe(0);
        expect(tracker.phase).toBe("quiet");
      }),
    );
  });

  it("no (event, edge) is told twice", () => {
    fc.assert(
      fc.property(fc.array(anyReading, { maxLength: 60 }), fc.boolean(), (readings, idBeforeState) => {
        const ascending = readings.filter((reading) => reading !== null);
        ascending.sort((a, b) => (a.lastEvent ?? 0) - (b.lastEvent ?? 0));
        const { edges } = play(ascending as Reading[], { idBeforeState, recording: "always" });
        const told = edges.filter((text) => text.startsWith("started") && !text.includes("none"));
        expect(new Set(told.map((text) => text.split(" ")[1])).size).toBe(told.length);
      }),
    );
  });

  it("an alarm between two rests is never lost", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), { maxLength: 20 }),
        fc.boolean(),
        fc.constantFrom("on-motion", "always", "unknown"),
        (alarms, idBeforeState, recording) => {
          const readings = alarms.flatMap(([active, rest], index) => [
            ...Array.from({ length: active }, () => alarm(index + 2)),
            ...Array.from({ length: rest }, () => idle(index + 2)),
          ]);
          const how = { idBeforeState, recording, closesEventOnAlarm: true } as const;
          const { edges } = play([idle(1), ...readings], how);
          expect(edges.filter((text) => text.startsWith("started"))).toEqual(
            alarms.map((_, index) => `started ${index + 2}/1`),
          );
        },
      ),
    );
  });
});
