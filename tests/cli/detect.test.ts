import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { problemOf } from "../../src/cli/detect/ask.ts";
import { parseDetectOptions } from "../../src/cli/detect/options.ts";
import { detect } from "../../src/cli/detect.ts";
import type { Detection } from "../../src/cli/detection.ts";
import { testIo } from "../support/command-io.ts";
import { type DetectSite, detectSite } from "../support/detect-site.ts";

let site: DetectSite;
let server: Detection | null = null;
beforeAll(async () => {
  site = await detectSite();
});
afterEach(async () => {
  for (const part of server?.parts.toReversed() ?? []) await part.stop();
  server = null;
});

async function run(...argv: string[]) {
  const io = testIo({ PATH: process.env.PATH });
  const code = await detect.run([...argv, "--config", site.config], io);
  return { code, out: io.out(), err: io.err() };
}

test.each([
  "ssl.enable: TLS is on, but neither ssl.cert nor ssl.key is set.",
  "/etc/zm/zmes.yml: ssl.enable: TLS is on, but neither ssl.cert nor ssl.key is set.",
  '/etc/zm/zmes.yml:2 fcm.expires_after: expected a whole number, got "abc"',
])("%j is no reason not to look", (problem) => {
  expect(problemOf({ problems: [problem] })).toBe(null);
});

test.each([
  '/etc/zm/zmes.yml:3 detection.engine: expected auto, got "none"',
  "hook.timeout: expected a whole number",
  "/etc/zm/zmes.yml:7: a quote is not closed",
])("%j is told before anything is looked at", (problem) => {
  expect(problemOf({ problems: ["ssl.enable: TLS is on", problem] })).toBe(problem);
});

describe("zmes detect", () => {
  test("says what is in a file, where, by which model, and how long each step took", async () => {
    server = await site.serve();
    const { code, out } = await run(site.picture);
    expect(out).toContain(`${site.picture}, 640x480\n`);
    expect(out).toMatch(/^Found {5}person {2}95% {2}200,150 to 280,270 {2}demo$/m);
    expect(out).toMatch(/^Models {4}demo: YOLOv8\/9\/11\/12, 128x96, 3 labels, CPU$/m);
    expect(out).toMatch(/^Time {6}read single [\d.]+ ms, .*demo [\d.]+ ms, filters/m);
    expect(out).toMatch(/ in all, by the server's detector$/m);
    expect(out).toContain("Text      [x] detected:person\n");
    expect(code).toBe(0);
  });

  test("looks in a process of its own when no server runs, and says so", async () => {
    const { code, out, err } = await run(site.picture);
    expect(err).toBe("Loading the model: no server with a detector runs ...\n");
    expect(out).toMatch(/in all, by a detector of this command \(no server with a detector runs\)$/m);
    expect(out).toMatch(/^Found {5}person/m);
    expect(code).toBe(0);
  });

  test("loads nothing but what it is asked for, whatever the server would look with", async () => {
    const [asked, usual] = [join(site.folder, "asked.ini"), join(site.folder, "usual.ini")];
    const sample = (model: string) =>
      `[general]\nuse_sequence=no\n[object]\nobject_weights=${model}\nobject_labels=\n`;
    writeFileSync(asked, sample(join(site.data, "models/demo.onnx")));
    writeFileSync(usual, sample("/nowhere/gone.onnx"));
    const other = await detectSite({ enable: true, config: usual });
    const io = testIo({ PATH: process.env.PATH });
    const argv = [site.picture, "--objectconfig", asked, "--config", other.config];
    expect([await detect.run(argv, io), io.out()]).toEqual([0, expect.stringContaining("person")]);
    expect(io.err()).not.toMatch(/gone|usual/);
  });

  test("says what does not count, by which filter and figures", async () => {
    const strict = await detectSite({ min_confidence: 97 });
    const io = testIo({ PATH: process.env.PATH });
    expect(await detect.run([strict.picture, "--config", strict.config], io)).toBe(0);
    expect(io.out()).toContain("Found     nothing\n");
    expect(io.out()).toMatch(
      /^Rejected {2}person {2}95% {2}200,150 to 280,270 {2}confidence: 0\.95 .*0\.97/m,
    );
  });

  test("finds nothing in a dark picture, which is no failure", async () => {
    server = await site.serve();
    expect(await run(site.darkPicture)).toMatchObject({ code: 0, out: expect.stringContaining("nothing") });
  });

  test("is one object of JSON for programs", async () => {
    server = await site.serve();
    const { out } = await run("77", "--json", "--cause", "Motion");
    expect(JSON.parse(out)).toMatchObject({
      event: 77,
      file: null,
      monitor: null,
      text: "[s] detected:person",
      frame: "snapshot",
      detections: [{ label: "person", box: [200, 150, 280, 270], type: "object", model: "demo" }],
      rejected: [],
      original: { width: 640, height: 480 },
      analyzed: { width: 640, height: 480 },
      zones: [],
      engines: ["demo: YOLOv8/9/11/12, 128x96, 3 labels, CPU"],
      timings: expect.arrayContaining([{ step: "demo", ms: expect.any(Number) }]),
      troubles: [],
      looked_by: "server",
      why: null,
      ms: expect.any(Number),
    });
  });

  test("leaves the event's folder as it is", async () => {
    server = await site.serve();
    const before = readdirSync(join(site.folder, "77"));
    await run("77");
    expect(readdirSync(join(site.folder, "77"))).toEqual(before);
  });

  test("draws where it is told to", async () => {
    server = await site.serve();
    const drawn = join(site.folder, "drawn.jpg");
    expect(await run(site.picture, "--draw", drawn)).toMatchObject({ code: 0 });
    expect(readFileSync(drawn).subarray(0, 2).toString("hex")).toBe("ffd8");
    expect(readdirSync(site.data).filter((name) => name.startsWith("detect-"))).toEqual([]);
  });

  test("where it cannot draw, it says so with the way out before it looks", async () => {
    const gone = join(site.folder, "not there/drawn.jpg");
    const nowhere = await run(site.picture, "--draw", gone);
    expect(nowhere).toEqual({
      code: 1,
      out: "",
      err: `zmes detect: --draw: ${gone} cannot be written: the folder ${dirname(gone)} does not exist; make it with mkdir -p '${dirname(gone)}'\n`,
    });
    const folder = await run(site.picture, "--draw", site.folder);
    expect(folder.err).toContain(`it is a folder; name a file in it, such as ${site.folder}/drawn.jpg`);
    const inFile = await run(site.picture, "--draw", join(site.picture, "drawn.jpg"));
    expect(inFile.err).toContain(`${site.picture} is not a folder`);
  });

  test("says what is wrong with a file that is missing or no picture, and with an event nobody knows", async () => {
    expect(await run(join(site.folder, "none.jpg"))).toMatchObject({
      code: 1,
      err: expect.stringContaining("none.jpg cannot be read: it does not exist"),
    });
    server = await site.serve();
    const noPicture = await run(site.config);
    expect(noPicture).toMatchObject({ code: 1, out: "" });
    expect(noPicture.err).toContain("zmes.yml");
    expect(await run("78")).toMatchObject({ code: 1, err: "Event 78: ZoneMinder has no event 78\n" });
    expect(existsSync(join(site.folder, "78"))).toBe(false);
  });

  test("as JSON, a failure is an object as well", async () => {
    server = await site.serve();
    const { code, out } = await run("78", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ event: 78, failed: "ZoneMinder has no event 78" });
  });
});

describe("the command line of zmes detect", () => {
  test.each([
    [[], "it takes one file, or the number of one event."],
    [["a.jpg", "b.jpg"], "it takes one file, or the number of one event."],
    [["a.jpg", "--monitor", "x"], '--monitor takes the number of a monitor, not "x".'],
    [["a.jpg", "--draw"], "--draw needs a value."],
  ])("%j is refused: %s", (argv, why) => {
    expect(parseDetectOptions(argv)).toBe(why);
  });

  test("a number is an event, and a file whose name is a number is written with its folder", () => {
    expect(parseDetectOptions(["4711"])).toMatchObject({ request: { event: 4711, file: null } });
    expect(parseDetectOptions(["./4711"])).toMatchObject({
      request: { event: null, file: join(process.cwd(), "4711") },
    });
  });
});
