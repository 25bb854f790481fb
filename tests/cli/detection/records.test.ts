import { describe, expect, it } from "vitest";
import { record } from "../../../src/cli/detection/records.ts";
import { defaultConfig } from "../../../src/config/schema.ts";
import type { DetectionAnswer } from "../../../src/detect/job.ts";
import type { DetectRequest } from "../../../src/detect/socket-messages.ts";

const request: DetectRequest = {
  event: 77,
  file: null,
  monitor: 1,
  cause: "",
  path: null,
  options: { config: null, overrides: [], writesFiles: true, drawTo: null },
};
const seen = (label: string) =>
  ({ label, confidence: 0.9, box: [1, 2, 3, 4], type: "object", model: "m" }) as const;
const answer: DetectionAnswer = {
  printed: '[s] detected:person,car--SPLIT--{"labels": []}',
  result: {
    frame: "snapshot",
    detections: [seen("person"), seen("car"), seen("person")],
    rejected: [],
    original: null,
    analyzed: null,
    zones: [],
    timings: [],
    troubles: [],
  },
};

describe("what a command found is noted at the event", () => {
  async function recorded(change: Partial<DetectRequest>, tags = false, printed = answer.printed) {
    const written: string[] = [];
    const config = defaultConfig();
    const records = {
      replace: async (event: number, text: string) => void written.push(`${event} notes ${text}`),
      tag: async (event: number, names: readonly string[]) => void written.push(`${event} tags ${names}`),
    };
    const hook = { ...config.hook, tag_detected_objects: tags };
    await record({ ...request, ...change }, { ...answer, printed }, records, { ...config, hook });
    return written;
  }

  it("in its notes where the command asks for them, without the JSON", async () => {
    expect(await recorded({ records: { notes: true } })).toEqual(["77 notes [s] detected:person,car"]);
  });

  it("as its tags where the configuration says so, each label once", async () => {
    expect(await recorded({ records: { notes: false } }, true)).toEqual(["77 tags person,car"]);
  });

  it("not when nothing was found, nor when the command only looks, nor for a file", async () => {
    const wanted = { records: { notes: true } };
    expect(await recorded(wanted, true, "")).toEqual([]);
    expect(await recorded({}, true)).toEqual([]);
    expect(await recorded({ ...wanted, event: null, file: "/a.jpg" }, true)).toEqual([]);
  });
});
