/** What doctor says of the built-in detector, with models that are loaded for it in processes of their own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Finding } from "../../../src/cli/doctor/check.ts";
import { detection, ffmpeg } from "../../../src/cli/doctor/detection.ts";
import { explained, howToInstall, missingPackages } from "../../../src/detect/packages.ts";
import { createSocketServer } from "../../../src/detect/socket-server.ts";
import { createPatient, type Patient, said } from "../../support/doctor.ts";
import { blobModel } from "../../support/onnx-models.ts";

let patient: Patient;
beforeEach(() => {
  patient = createPatient();
});
afterEach(() => patient.remove());

/** A model in the folder of models. */
function putModel(name: string, content: Buffer | string = blobModel("yolov8")): string {
  mkdirSync(join(patient.folder, "data/models"), { recursive: true });
  const file = join(patient.folder, "data/models", name);
  writeFileSync(file, content);
  return file;
}

const fixOf = (findings: readonly Finding[], text: string) =>
  findings.find((finding) => finding.text.includes(text))?.fix ?? null;

test("where it is off, and commands have named nothing for it, there is nothing to look at", async () => {
  expect((await patient.examine(detection))[0]?.level).toBe("skipped");
  putModel("blob.onnx");
  const found = await patient.examine(detection, { detection: { model: "blob.onnx" } });
  expect(found[0]?.level).not.toBe("skipped");
});

test("a model that can be loaded is told with its family and its labels", async () => {
  putModel("blob.onnx");
  const found = await patient.examine(detection, { detection: { enable: true } });
  expect(said(found)).toContainEqual(expect.stringMatching(/^ok: blob\.onnx: YOLO.*128x96, 80 labels, CPU/));
  expect(found.filter(({ level }) => level === "problem")).toEqual([]);
});

test("without a model, the people detector is loaded", async () => {
  const found = await patient.examine(detection, { detection: { enable: true } });
  expect(said(found)).toContainEqual(expect.stringMatching(/^ok: hog: HOG people detector/));
});

test("a model that is missing comes with the command that puts one in place", async () => {
  const found = await patient.examine(detection, { detection: { enable: true, model: "gone.onnx" } });
  expect(said(found)).toContainEqual(expect.stringMatching(/^problem: .*gone\.onnx does not exist/));
  expect(fixOf(found, "gone.onnx")).toContain("zmes models add");
});

test("the .cfg of a Darknet model that is missing is named", async () => {
  putModel("tiny.weights", "x");
  const found = await patient.examine(detection, { detection: { enable: true } });
  expect(said(found)).toContainEqual(expect.stringMatching(/^problem: .*tiny\.cfg does not exist/));
});

test("a model that is damaged is a problem, and the program goes on", async () => {
  const file = putModel("bad.onnx", "not a model");
  const found = await patient.examine(detection, { detection: { enable: true } });
  expect(said(found)).toContainEqual(expect.stringMatching(/^problem: .*bad\.onnx/));
  expect(fixOf(found, "bad.onnx")).toContain(`zmes models check ${file}`);
});

test("several models, of which none is named, are a warning", async () => {
  putModel("one.onnx");
  putModel("two.onnx");
  const found = await patient.examine(detection, { detection: { enable: true } });
  expect(said(found)).toContainEqual(expect.stringMatching(/^warning: .*one\.onnx, two\.onnx/));
});

describe("an objectconfig", () => {
  const use = async (text: string) => {
    const file = join(patient.folder, "objectconfig.yml");
    writeFileSync(file, text);
    return patient.examine(detection, { detection: { enable: true, config: file } });
  };
  const model = (keys: string) =>
    `ml:\n  ml_sequence:\n    general: {model_sequence: object}\n    object:\n      sequence:\n        - {${keys}}\n`;

  test("is read with the models of every monitor", async () => {
    const file = putModel("blob.onnx");
    const other = `monitors:\n  5:\n${model("object_weights: /nowhere/of-5.onnx").replace(/^/gm, "    ")}`;
    const found = await use(`${model(`object_weights: ${file}`)}${other}`);
    expect(said(found)).toContainEqual(expect.stringMatching(/^ok: blob\.onnx: YOLO/));
    expect(said(found)).toContainEqual(
      expect.stringMatching(/^problem: \/nowhere\/of-5\.onnx does not exist/),
    );
  });

  test("with what cannot be used is told by its line", async () => {
    const found = await use(model("object_framework: coral_edgetpu, object_weights: /x.tflite"));
    expect(said(found)).toContainEqual(
      expect.stringMatching(/^problem: .*objectconfig\.yml:\d+ .*none of its models/),
    );
    expect(said(found)).toContainEqual(expect.stringMatching(/^warning: .*a Coral TPU is not used/));
  });

  test("that is missing is a problem", async () => {
    const config = "/nowhere/objectconfig.yml";
    const found = await patient.examine(detection, { detection: { enable: true, config } });
    expect(said(found)).toContainEqual(
      expect.stringMatching(/^problem: \/nowhere\/objectconfig\.yml.*cannot be read/),
    );
  });
});

describe("a running server", () => {
  const holder = { pid: 1, command: "zmes", isOurs: true };

  test("that answers commands is told", async () => {
    const server = createSocketServer({
      path: join(patient.folder, "data/detector.sock"),
      look: () => Promise.reject(new Error("nothing was to be looked at")),
      logger: pino({ level: "silent" }),
    });
    await server.start?.(new AbortController().signal);
    const found = await patient.examine(detection, { detection: { enable: true } }, { holder });
    await server.stop();
    expect(said(found)).toContainEqual(expect.stringMatching(/^ok: The server answers commands/));
  });

  test("whose detector cannot be reached is a warning, with the way out", async () => {
    const found = await patient.examine(detection, { detection: { enable: true } }, { holder });
    expect(said(found)).toContainEqual(expect.stringMatching(/^warning: Commands do not reach/));
    expect(fixOf(found, "Commands do not reach")).toContain("Restart the server");
  });
});

test("without ffmpeg there is a warning with the command that installs it", () => {
  const [found] = ffmpeg(patient.folder);
  expect(found).toMatchObject({ level: "warning", fix: expect.stringContaining("apt install ffmpeg") });
  const program = join(patient.folder, "ffmpeg");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  expect(ffmpeg(`/nowhere:${patient.folder}`)[0]?.level).toBe("ok");
});

describe("what detection runs with", () => {
  test("is looked for by what is needed, and WebAssembly stands in for a build that is missing", () => {
    const only =
      (...names: string[]) =>
      (name: string) =>
        names.includes(name);
    expect(missingPackages(["hog"], only("sharp"))).toEqual(["@techstark/opencv-js"]);
    expect(missingPackages(["onnx"], only("sharp", "onnxruntime-web", "@bufbuild/protobuf"))).toEqual([]);
    expect(missingPackages(["onnx"], only("sharp"))).toEqual(["onnxruntime-node", "@bufbuild/protobuf"]);
    expect(missingPackages(["remote", "command"], only("sharp"))).toEqual([]);
    expect(missingPackages(["onnx", "darknet", "hog"])).toEqual([]);
  });

  test("comes with the package zmes-detect where zmes is a package, and with npm in a checkout", () => {
    expect(howToInstall("/usr/lib/zmes/")).toMatch(
      /sudo apt install \.\/zmes-detect_\w+_(amd64|arm64)\.deb$/,
    );
    expect(howToInstall("/opt/zmes/")).toContain("npm ci");
  });

  test("is named by who needs it and does not find it", async () => {
    const name = "@scope/absent";
    const failure: unknown = await import(name).catch((reason: unknown) => reason);
    expect(String(explained(failure))).toMatch(/@scope\/absent is not installed\. Run `npm ci`/);
    const other = new Error("something else");
    expect(explained(other)).toBe(other);
  });
});
