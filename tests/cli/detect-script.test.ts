// The original's scripts as zmes answers them: what they print, their exit codes, and what they load for it.
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { detect } from "../../src/cli/detect.ts";
import { detectScript } from "../../src/cli/detect-script.ts";
import type { Detection } from "../../src/cli/detection.ts";
import { testIo } from "../support/command-io.ts";
import { type DetectSite, detectSite } from "../support/detect-site.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";

const JSON_OF_77 =
  '--SPLIT--{"labels": ["person"], "boxes": [[200, 150, 280, 270]], "frame_id": "snapshot", "confidences": [0.949999988079071], "image_dimensions": {"original": [480, 640], "resized": null}}';

let site: DetectSite;
const recorded: string[] = [];

async function run(socket: string | null, ...argv: string[]) {
  const io = testIo({ PATH: process.env.PATH });
  const where = socket === null ? [] : ["--socket", socket];
  const code = await detectScript.run([...where, "--zmes-config", site.config, ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

beforeAll(async () => {
  site = await detectSite();
});

describe("with the resident detector", () => {
  let server: Detection;
  let socket: string;
  beforeAll(async () => {
    server = await site.serve({
      replace: async (event, text) => void recorded.push(`${event} notes ${text}`),
      tag: async (event, names) => void recorded.push(`${event} tags ${names.join()}`),
    });
    socket = join(site.data, "detector.sock");
  });
  afterAll(async () => {
    for (const part of server.parts.toReversed()) await part.stop();
  });
  beforeEach(() => recorded.splice(0));

  test.each([
    [["zm_event_start.sh", "77", "1", "Front", "Motion"], `[s] detected:person${JSON_OF_77}\n`],
    [["zm_detect.py", "-e", "77"], `[s] detected:person${JSON_OF_77}\n`],
    [["detect_wrapper.sh", "77", "1", "Front", "Motion"], "[s] detected:person\n"],
    [["detect_yolo.py", "-e", "77"], "[s] detected:person\n"],
  ])("%j prints exactly %j, and nothing else", async (argv, out) => {
    expect(await run(socket, ...argv)).toEqual({ code: 0, out, err: "" });
  });

  test.each([
    ["zm_event_start.sh", ["76", "1", "Front", "Motion"], 1, ""],
    ["detect_wrapper.sh", ["76", "1", "Front", "Motion"], 1, ""],
    ["zm_detect.py", ["-e", "76"], 0, ""],
    ["detect_yolo.py", ["-e", "76"], 0, "\n"],
  ])("%s %j, where nothing is found, ends with %i and prints %j", async (name, argv, code, out) => {
    expect(await run(socket, name, ...argv)).toEqual({ code, out, err: "" });
  });

  test("an event that ZoneMinder does not have is 1, with the reason on stderr", async () => {
    for (const name of ["zm_event_start.sh", "zm_detect.py"]) {
      const argv = name === "zm_detect.py" ? ["-e", "78"] : ["78", "1", "n", "c"];
      const why = `${name}: ZoneMinder has no event 78\n`;
      expect(await run(socket, name, ...argv)).toEqual({ code: 1, out: "", err: why });
    }
  });

  test("detect_hog.py looks with the people detector, and says an empty line when there is nobody", async () => {
    expect(await run(socket, "detect_hog.py", "-c", "", "-e", "77")).toMatchObject({ out: "\n", code: 0 });
  });

  test("--notes has the notes written, without the JSON; without it they stay", async () => {
    await run(socket, "zm_detect.py", "-e", "77", "-n");
    await eventually(() => expect(recorded).toEqual(["77 notes [s] detected:person"]));
    await run(socket, "zm_detect.py", "-e", "77");
    expect(recorded).toHaveLength(1);
  });

  test("-d says on stderr what was found, rejected and how long it took; stdout stays as it is", async () => {
    const { out, err } = await run(socket, "zm_detect.py", "-e", "77", "-d");
    expect(out).toBe(`[s] detected:person${JSON_OF_77}\n`);
    expect(err).toMatch(/^Found {5}person {2}95%/m);
    expect(err).toContain("by the server's detector");
  });

  test("the socket is found through the configuration where nobody names it", async () => {
    expect(await run(null, "zm_detect.py", "-e", "77")).toMatchObject({ code: 0, err: "" });
  });
});

describe("without a server", () => {
  const nowhere = "/nowhere/detector.sock";

  test("a process of its own looks, and says so on stderr", async () => {
    const { code, out, err } = await run(nowhere, "zm_detect.py", "-f", site.picture);
    expect(out).toMatch(/^\[x\] detected:person--SPLIT--\{.*"frame_id": "single"/);
    expect(err).toBe("zm_detect.py: no server with a detector runs; looking with a detector of its own\n");
    expect(code).toBe(0);
  });

  test("labels can be pretended", async () => {
    const { code, out } = await run(nowhere, "zm_detect.py", "-e", "77", "--fakeit", "dog,person");
    expect(out).toMatch(/^\[s\] detected:dog,person--SPLIT--\{"labels": \["dog", "person"\]/);
    expect(out).toContain('"boxes": [[50, 50, 150, 200], [150, 50, 250, 200]]');
    expect(out).toContain('"confidences": [0.996, 0.996]');
    expect(code).toBe(0);
  });

  test("the end of an event, and the version, need none", async () => {
    expect(await run(nowhere, "zm_event_end.sh", "7", "1", "n", "the  notes")).toMatchObject({
      out: "the  notes\n",
      code: 0,
    });
    expect((await run(nowhere, "zm_detect.py", "--bareversion")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("a wrong call is refused with the original's exit code, and a script nobody knows with 2", async () => {
    expect(await run(nowhere, "zm_detect.py")).toMatchObject({ code: 1, out: "" });
    expect(await run(nowhere, "detect_yolo.py")).toMatchObject({ code: 2, out: "" });
    expect(await run(nowhere, "zm_train_faces.py")).toMatchObject({ code: 2, out: "" });
  });
});

describe("as programs", () => {
  let folder: string;
  const root = join(import.meta.dirname, "../..");
  const execute = promisify(execFile);
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  const install = async (...argv: string[]) => {
    const io = testIo();
    const code = await detect.run(["install-scripts", folder, "--config", site.config, ...argv], io);
    return { code, out: io.out(), err: io.err() };
  };

  test("they ask the socket that the configuration names, also when python3 runs them", async () => {
    const server = await site.serve();
    expect(await install()).toMatchObject({ code: 0 });
    const out = `[s] detected:person${JSON_OF_77}\n`;
    const shell = await execute(join(folder, "zm_event_start.sh"), ["77", "1", 'a "b" $(c)', "Motion"]);
    expect(shell).toEqual({ stdout: out, stderr: "" });
    const script = join(folder, "zm_detect.py");
    expect(await execute(script, ["-e", "77", "-r", ""])).toEqual({ stdout: out, stderr: "" });
    expect(await execute("python3", [script, "-e", "77"])).toEqual({ stdout: out, stderr: "" });
    expect((await execute(join(folder, "zm_event_end.sh"), ["7", "1", "n", "a  \\n b"])).stdout).toBe(
      "a  \\n b\n",
    );
    for (const part of server.parts.toReversed()) await part.stop();
  });

  test("TERM ends them with 1 and without a word, and the server looks no longer", async () => {
    let asked = () => {};
    let left = () => {};
    const [question, leaving] = [
      new Promise<void>((resolve) => (asked = resolve)),
      new Promise<void>((resolve) => (left = resolve)),
    ];
    const silent = createServer((socket) => {
      socket.on("data", () => {
        socket.write('{"kind":"accepted"}\n');
        asked();
      });
      socket.on("close", () => left());
    });
    const socket = join(folder, "silent.sock");
    await new Promise<void>((resolve) => silent.listen(socket, resolve));
    const argv = ["detect-script", "--socket", socket, "zm_event_start.sh", "77", "1", "n", "c"];
    const child = spawn(join(root, "bin/zmes"), argv);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (said += String(part)));
    await question;
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([1, null]);
    expect(said).toBe("");
    await leaving;
    silent.close();
  });

  test("they load neither the checks of the configuration nor the large libraries", () => {
    const code = `import { registerHooks } from "node:module";
      const seen = [];
      registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
      const { detectScript } = await import("./src/cli/detect-script.ts");
      console.log(seen.filter((url) => url.includes("node_modules")).join());`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: root });
    expect(String(out).trim()).toBe("");
  });

  test("what was there is kept, and put back", async () => {
    const [file, link] = [join(folder, "zm_detect.py"), join(folder, "zm_event_start.sh")];
    writeFileSync(file, "the original\n");
    symlinkSync("/somewhere/else", link);
    const installed = await install();
    expect(installed.out).toContain("zm_detect.py was there before; it is kept as zm_detect.py.before-zmes");
    expect(readFileSync(`${file}.before-zmes`, "utf8")).toBe("the original\n");
    expect(await install()).toMatchObject({ code: 0 });
    expect(readFileSync(`${file}.before-zmes`, "utf8")).toBe("the original\n");
    expect(await install("--uninstall")).toMatchObject({ code: 0 });
    expect(readFileSync(file, "utf8")).toBe("the original\n");
    expect(readlinkSync(link)).toBe("/somewhere/else");
    expect(existsSync(join(folder, "detect_yolo.py"))).toBe(false);
  });

  test("only the named ones, into a folder that is there; a file of somebody else stays", async () => {
    expect(await install("zm_detect.py")).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, "detect_yolo.py"))).toBe(false);
    expect(await install("other.py")).toMatchObject({ code: 2 });
    writeFileSync(join(folder, "detect_yolo.py"), "mine");
    await install("--uninstall");
    expect(readFileSync(join(folder, "detect_yolo.py"), "utf8")).toBe("mine");
    mkdirSync(join(folder, "gone"));
    rmSync(join(folder, "gone"), { recursive: true });
    const io = testIo();
    expect(await detect.run(["install-scripts", join(folder, "gone")], io)).toBe(1);
    expect(io.err()).toContain("there is no folder");
  });
});
