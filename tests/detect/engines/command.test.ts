// Programs that print what the original printed, run for real: pictures go in as files, findings come out.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, describe, expect, test } from "vitest";
import { createCommandEngine } from "../../../src/detect/engines/command.ts";
import { eventually } from "../../support/eventually.ts";
import { aContext, plainFrame } from "../support/frames.ts";

const folder = mkdtempSync(join(tmpdir(), "zmes-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const OPTIONS = { threads: 1, cacheFolder: folder, logger: pino({ level: "silent" }) };

/** As version 7 prints it; its picture had 160 by 80 pixels, half as many as ours. */
const PRINTED = `[s] detected:person:97% car:85% --SPLIT--{"labels": ["person", "car"], "boxes": [[10, 20, 60, 70], [80, 10, 200, 60]], "frame_id": "snapshot", "confidences": [0.9736, 0.8512], "image_dimensions": {"original": [160, 320], "resized": [80, 160]}}`;

describe("what the original prints", () => {
  test("is read, and its boxes become pixels of our picture, cut at its edges", async () => {
    expect(await printing(PRINTED)).toEqual([
      { label: "person", confidence: 0.9736, box: [20, 40, 120, 140] },
      { label: "car", confidence: 0.8512, box: [160, 20, 320, 120] },
    ]);
  });

  test("may stand among other talk", async () => {
    expect(await printing(`Loading model ...\n${PRINTED}\nbye`)).toHaveLength(2);
  });

  test("may come with any number of complaints beside it", async () => {
    expect(await run("yes complaint | head -c 400000 >&2; echo detected:person")).toHaveLength(1);
  });

  test("may be text alone: then what was found is everywhere", async () => {
    const everywhere = [0, 0, 320, 160];
    expect(await printing("[a] detected:potted plant:80% alpr:ABC123:90% ")).toEqual([
      { label: "alpr:ABC123", confidence: 0.9, box: everywhere },
      { label: "potted plant", confidence: 0.8, box: everywhere },
    ]);
    expect(await printing("detected: person")).toEqual([{ label: "person", confidence: 1, box: everywhere }]);
    expect((await printing("[x] detected:cat,potted plant,")).map(({ label }) => label)).toEqual([
      "cat",
      "potted plant",
    ]);
    expect(await printing("[x] detected:(yolo) dog:50% ")).toEqual([
      { label: "dog", confidence: 0.5, box: everywhere },
    ]);
  });

  test("may be nothing, with 0 or, silently, 1", async () => {
    expect(await printing("")).toEqual([]);
    expect(await run("exit 1")).toEqual([]);
  });

  test("counts only from the confidence asked for", async () => {
    expect(await printing(PRINTED, 0.9)).toHaveLength(1);
  });
});

describe("the picture", () => {
  test("is a file that only we can read, in the place of {file}, and is gone afterwards", async () => {
    const note = join(folder, "note");
    await run(
      `printf '%s %s %s' "$1" "$(stat -c %a "$1")" "$(stat -c %a "$(dirname "$1")")" > ${note}`,
      "--image={file}",
      "{file}",
    );
    expect(readFileSync(note, "utf8")).toMatch(/^--image=/);
    await run(
      `printf '%s %s %s' "$1" "$(stat -c %a "$1")" "$(stat -c %a "$(dirname "$1")")" > ${note}`,
      "{file}",
    );
    const [file = "", mode, folderMode] = readFileSync(note, "utf8").split(" ");
    expect([mode, folderMode]).toEqual(["600", "700"]);
    expect(existsSync(file)).toBe(false);
  });

  test("comes last when the command does not say where", async () => {
    const copy = join(folder, "copy.jpg");
    await run(`cp "$2" ${copy}`, "--fast");
    expect(readFileSync(copy)).toEqual(await (await plainFrame()).jpeg());
  });
});

describe("what goes wrong has a sentence", () => {
  test.each([
    [
      "a crash",
      "echo started; echo 'https://zm:geheim@zm/ ImportError: no cv2' >&2; exit 3",
      /ended with 3: https:\/\/zm:\[redacted\]@zm\/ ImportError: no cv2/,
    ],
    ["a signal", "kill -SEGV $$", /was ended by SIGSEGV/],
    [
      "half an answer",
      'echo \'[x] detected:person:90% --SPLIT--{"labels": ["per\'',
      /no JSON with labels, boxes and confidences/,
    ],
    [
      "lists of another kind",
      'echo \'detected:--SPLIT--{"labels": [1], "boxes": {}}\'',
      /no JSON with labels/,
    ],
    ["endless talk", "yes | head -c 400000", /printed more than 262144 bytes/],
  ])("%s", async (_, script, message) => {
    await expect(run(script)).rejects.toThrow(message);
  });

  test("a program that is not there", async () => {
    const engine = await createCommandEngine(
      { kind: "command", argv: ["/none/such"], timeoutMs: 1000 },
      OPTIONS,
    );
    await expect(engine.detect(await plainFrame(), aContext())).rejects.toThrow(
      "/none/such could not be started",
    );
  });

  test("a program that hangs is ended with its children", async () => {
    const pidFile = join(folder, "child.pid");
    const engine = await createCommandEngine(
      scripted(`sleep 600 & echo $! > ${pidFile}; wait`, 300),
      OPTIONS,
    );
    await expect(engine.detect(await plainFrame(), aContext())).rejects.toThrow(
      "did not finish within 0.3 s",
    );
    await eventually(() => expect(isRunning(readFileSync(pidFile, "utf8").trim())).toBe(false));
  });

  test("and whoever does not want the answer any more gets none", async () => {
    const controller = new AbortController();
    const engine = await createCommandEngine(scripted("sleep 600", 60_000), OPTIONS);
    const answer = engine.detect(await plainFrame(), aContext({ signal: controller.signal }));
    controller.abort(new Error("the deadline has passed"));
    await expect(answer).rejects.toThrow("the deadline has passed");
  });
});

async function printing(text: string, minConfidence = 0) {
  const path = join(folder, "printed");
  writeFileSync(path, text);
  return (await createCommandEngine(scripted(`cat ${path}`), OPTIONS)).detect(
    await plainFrame(),
    aContext({ minConfidence }),
  );
}

async function run(script: string, ...words: string[]) {
  const engine = await createCommandEngine(scripted(script, 10_000, words), OPTIONS);
  return engine.detect(await plainFrame(), aContext());
}

function scripted(script: string, timeoutMs = 10_000, words: readonly string[] = []) {
  return { kind: "command" as const, argv: ["/bin/sh", "-c", script, "detector", ...words], timeoutMs };
}

function isRunning(pid: string): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, "utf8"));
}
