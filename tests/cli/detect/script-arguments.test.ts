// The original's command lines, as its users and ZoneMinder write them.
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readScriptCall, SCRIPTS } from "../../../src/cli/detect/script-arguments.ts";

const looking = (call: ReturnType<typeof readScriptCall>) => (call.kind === "look" ? call.request : call);

describe.each(["zm_event_start.sh", "detect_wrapper.sh"] as const)("%s", (name) => {
  test("takes event, monitor, name, cause and folder by their places", () => {
    const argv = ["77", "3", 'Front "$(id)" Door', "Motion: All", "/events/3/2026-11-22/77"];
    expect(looking(readScriptCall(name, argv))).toMatchObject({
      event: 77,
      file: null,
      monitor: 3,
      cause: "Motion: All",
      path: "/events/3/2026-11-22/77",
      options: { config: null, writesFiles: true },
      records: { notes: false },
    });
  });

  test.each(["", "0", "abc", "-5", "1e3"])("cannot look at event %j", (event) => {
    expect(readScriptCall(name, [event, "3"])).toMatchObject({ kind: "refused", exitCode: 1 });
  });
});

test("zm_event_end.sh says its fourth argument", () => {
  expect(readScriptCall("zm_event_end.sh", ["77", "3", "Front", "the notes"])).toEqual({
    kind: "echo",
    text: "the notes",
  });
});

describe("zm_detect.py", () => {
  const read = (...argv: string[]) => looking(readScriptCall("zm_detect.py", argv));

  test("takes what ZoneMinder's EventStartCommand gives it", () => {
    expect(read("-e", "77", "-m", "3", "-r", "Motion: All", "-n")).toMatchObject({
      event: 77,
      monitor: 3,
      cause: "Motion: All",
      records: { notes: true },
    });
  });

  test("takes what the shell scripts of versions 6 and 7 give it", () => {
    const argv = ["--config", "/etc/zm/objectconfig.yml", "--eventid", "77", "--monitorid", "3"];
    expect(read(...argv, "--reason", "Motion", "--eventpath", "/e/77")).toMatchObject({
      event: 77,
      path: "/e/77",
      options: { config: "/etc/zm/objectconfig.yml" },
      records: { notes: false },
    });
  });

  test.each([
    [["-e77", "-nm3"]],
    [["--eventid=77", "--monitor=3", "--no"]],
    [["-e=77", "-nm=3"]],
    [["--unknown", "word", "-x", "-e", "77", "more", "-n", "-m", "3", "--pyzm-debug"]],
    [["-e", "5", "-e", "77", "-m", "3", "-n", "--", "-e", "6"]],
  ])("reads %j as Python's argparse does", (argv) => {
    expect(read(...argv)).toMatchObject({ event: 77, monitor: 3, records: { notes: true } });
  });

  test.each([
    [[], 1],
    [["-m", "3"], 1],
    [["-e", "x"], 1],
    [["-e"], 2],
    [["-e", "77", "-r", "-n"], 2],
    [["--event", "77"], 2],
    [["-e", "77", "--notes=yes"], 2],
  ])("refuses %j with %i", (argv, exitCode) => {
    expect(readScriptCall("zm_detect.py", argv)).toMatchObject({ kind: "refused", exitCode });
  });

  test("takes causes that look like options where argparse does", () => {
    expect(read("-e", "77", "-r", "- and so on")).toMatchObject({ cause: "- and so on" });
    expect(read("-e", "77", "-r", "-5")).toMatchObject({ cause: "-5" });
    expect(read("-e", "77", "-r", "")).toMatchObject({ cause: "" });
  });

  test("looks at a file, draws into a folder, and hands overrides on in their order", () => {
    const argv = ["-f", "a/b.mp4", "-o", "/tmp", "-O", "ml.x=1", "--override", "ml.y[0].z=2"];
    expect(read(...argv)).toMatchObject({
      event: null,
      file: path.resolve("a/b.mp4"),
      options: { drawTo: "/tmp/b-objdetect.jpg", overrides: ["ml.x=1", "ml.y[0].z=2"] },
    });
  });

  test("says its version, and looks for nothing then", () => {
    expect(readScriptCall("zm_detect.py", ["-v"])).toEqual({ kind: "version", isBare: false });
    expect(readScriptCall("zm_detect.py", ["--bareversion"])).toEqual({ kind: "version", isBare: true });
  });

  test("pretends with --fakeit", () => {
    const call = readScriptCall("zm_detect.py", ["-e", "7", "--fakeit", "dog, person"]);
    expect(call).toMatchObject({ kind: "fake", labels: ["dog", "person"], request: { event: 7 } });
  });
});

describe("the scripts of version 3.2", () => {
  const argv = ["-c", "/etc/zm/objectconfig.ini", "-e", "77", "-p", "/e", "-m", "3", "-t", "now", "-z"];

  test("detect_yolo.py takes their options", () => {
    expect(looking(readScriptCall("detect_yolo.py", argv))).toMatchObject({
      event: 77,
      monitor: 3,
      path: "/e",
      options: { config: "/etc/zm/objectconfig.ini" },
    });
  });

  test("detect_hog.py looks for people with OpenCV's detector", () => {
    expect(looking(readScriptCall("detect_hog.py", argv))).toMatchObject({ options: { engine: "hog" } });
  });

  test("an event is needed", () => {
    expect(readScriptCall("detect_yolo.py", ["-c", "x"])).toMatchObject({ kind: "refused", exitCode: 2 });
  });
});

test("no command line makes it throw", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("-e", "77", "--eventid", "-n", "--", "-", "-O", "--f", "-nd"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...SCRIPTS), fc.array(word), (name, argv) => {
      expect(readScriptCall(name, argv)).toHaveProperty("kind");
    }),
  );
});
