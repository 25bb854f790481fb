// Darknet networks become ONNX files that compute the same: against a plain reference, and against OpenCV where it is installed.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { DarknetError, parseDarknetConfig } from "../../../src/detect/onnx/darknet-config.ts";
import { darknetGraph } from "../../../src/detect/onnx/darknet-graph.ts";
import { buildNetwork } from "../../../src/detect/onnx/darknet-layers.ts";
import { openDarknetWeights } from "../../../src/detect/onnx/darknet-weights.ts";
import { encodeOnnx } from "../../../src/detect/onnx/onnx-writer.ts";
import { generator, madeUpNumbers, referenceRows, weightsFile } from "../support/darknet.ts";

const folder = mkdtempSync(join(tmpdir(), "zmes-darknet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The Python that Debian's OpenCV belongs to. */
const PYTHON = "/usr/bin/python3";
const hasOpenCv = spawnSync(PYTHON, ["-c", "import cv2; cv2.dnn.readNetFromDarknet"]).status === 0;

/** The way of YOLOv4-tiny: groups of channels, two scales, uneven height and width. */
const TINY = network(
  { width: 64, height: 32 },
  conv(8, 3, "leaky", "stride=2"),
  conv(8, 3, "leaky"),
  "[route]\nlayers=-1\ngroups=2\ngroup_id=1",
  conv(4, 3, "leaky"),
  "[route]\nlayers=-1,-2",
  conv(8, 1, "leaky"),
  "[route]\nlayers=-5, -1",
  "[maxpool]\nsize=2\nstride=2",
  conv(16, 1, "linear", "", false),
  yolo("0,1", "scale_x_y=1.05"),
  "[route]\nlayers=-3",
  conv(6, 1, "leaky"),
  "[upsample]\nstride=2",
  "[route]\nlayers=-1, 6",
  conv(16, 1, "linear", "", false),
  yolo("1,2"),
);

/** The way of YOLOv4: other activations, shortcuts, pyramid of maxpools, a maxpool that keeps its size. */
const LARGE = network(
  { width: 32, height: 32 },
  conv(6, 3, "mish"),
  conv(6, 3, "swish", "stride=2\ngroups=2"),
  conv(6, 1, "relu"),
  "[shortcut]\nfrom=-2\nactivation=linear",
  "[maxpool]\nsize=5\nstride=1",
  "[route]\nlayers=-2",
  "[maxpool]\nsize=2\nstride=1",
  "[route]\nlayers=-1,-3,-4",
  conv(8, 1, "logistic"),
  conv(16, 1, "linear", "", false),
  yolo("0,1"),
);

/** Scaled-YOLOv4: logistic in the last convolution, numbers taken as they come. */
const SCALED = network(
  { width: 32, height: 32 },
  conv(4, 3, "swish", "stride=2"),
  conv(16, 1, "logistic", "", false),
  yolo("0,2", "scale_x_y=2.0\nnew_coords=1"),
);

describe.each([
  ["YOLOv4-tiny", TINY],
  ["YOLOv4", LARGE],
  ["Scaled-YOLOv4", SCALED],
])("a network in the way of %s", (name, text) => {
  const net = buildNetwork(parseDarknetConfig(text));
  const numbers = madeUpNumbers(net);
  const input = picture(net.input.width, net.input.height);

  test("computes what its layers say", async () => {
    const rows = await converted(text, weightsFile(numbers), input);
    const expected = referenceRows(net, numbers, input).map(([x = 0, y = 0, w = 0, h = 0, , ...classes]) => [
      x - w / 2,
      y - h / 2,
      x + w / 2,
      y + h / 2,
      ...classes,
    ]);
    expect(rows).toHaveLength(expected.length);
    expect(largestDifference(rows, expected)).toBeLessThan(1e-4);
  });

  test.runIf(hasOpenCv)("computes what OpenCV makes of the same files", async () => {
    const rows = await converted(text, weightsFile(numbers), input);
    const theirs = opencvRows(name, text, weightsFile(numbers), input).map(
      ([x = 0, y = 0, w = 0, h = 0, , ...classes]) => [
        x - w / 2,
        y - h / 2,
        x + w / 2,
        y + h / 2,
        ...classes,
      ],
    );
    expect(rows).toHaveLength(theirs.length);
    expect(largestDifference(rows, theirs)).toBeLessThan(1e-3);
  });
});

test("a file of an early Darknet has a shorter header", async () => {
  const numbers = madeUpNumbers(buildNetwork(parseDarknetConfig(SCALED)));
  const old = Buffer.from(weightsFile(numbers).subarray(4));
  old.writeInt32LE(0, 0);
  old.writeInt32LE(1, 4);
  const input = picture(32, 32);
  expect(await converted(SCALED, old, input)).toEqual(await converted(SCALED, weightsFile(numbers), input));
});

describe("what cannot be converted is refused", () => {
  test.each([
    [
      "a layer of another kind",
      "[net]\nwidth=32\nheight=32\n[conv]\n\n[crnn]\n",
      "line 6, [crnn]: this kind of layer",
    ],
    [
      "an activation of another kind",
      TINY.replace("activation=leaky", "activation=gelu"),
      "line 11, [convolutional]: activation=gelu",
    ],
    [
      "a number that is none",
      TINY.replace("filters=8", "filters=many"),
      "line 7, [convolutional]: filters=many",
    ],
    ["a file that is no network", "<!doctype html>\n<html>", 'line 1: "<!doctypehtml>"'],
    ["a classifier", network({ width: 32, height: 32 }, conv(4, 3, "leaky")), "has no section [yolo]"],
    [
      "the wrong number of classes",
      TINY.replace("classes=3", "classes=80"),
      "need filters=170 in the layer before, which has 16",
    ],
    ["a layer that comes later", TINY.replace("layers=-5, -1", "layers=-5, 20"), "layers names layer 20"],
    [
      "a shortcut with weights",
      LARGE.replace("from=-2", "from=-2\nweights_type=per_feature"),
      "weights_type=per_feature",
    ],
    ["a picture without colors", TINY.replace("width=64", "width=64\nchannels=1"), "channels=1"],
    [
      "a picture that would take gigabytes",
      TINY.replace("width=64", "width=4100"),
      "line 1, [net]: pictures of 4100x32",
    ],
    [
      "more boxes than any picture needs",
      network({ width: 4096, height: 4096 }, conv(16, 1, "linear", "", false), yolo("0,1")),
      "looks for 33554432 boxes",
    ],
    [
      "heads that differ in their classes",
      `${SCALED}\n${conv(24, 1, "linear")}\n[yolo]\nmask=0,1\nanchors=1,1,2,2\nclasses=7`,
      "different numbers of classes",
    ],
    [
      "a layer of no size",
      TINY.replace("height=32", "height=1").replace("size=2", "size=9\npadding=0"),
      "pixels wide or high",
    ],
  ])("%s", (_, text, message) => {
    expect(() => buildNetwork(parseDarknetConfig(text))).toThrow(message);
  });

  test.each([
    ["too short", -4, /has 832 bytes, but the network of the \.cfg file needs 836/],
    ["too long", 4, /has \d+ bytes, but the network of the \.cfg file needs 836/],
    ["empty", -1e9, /too short/],
  ])("weights that are %s", (_, more, message) => {
    const net = buildNetwork(parseDarknetConfig(SCALED));
    const bytes = weightsFile(madeUpNumbers(net));
    const path = join(folder, "wrong.weights");
    writeFileSync(
      path,
      more > 0
        ? Buffer.concat([bytes, Buffer.alloc(more)])
        : bytes.subarray(0, Math.max(0, bytes.length + more)),
    );
    expect(() => openDarknetWeights(path, net)).toThrow(message);
  });

  test("and no file ends in anything but a sentence", () => {
    const lines = fc.constantFrom(
      ...new Set(`${TINY}\n${LARGE}\n${SCALED}`.split("\n")),
      "[sam]",
      "stride=0",
      "size=65536",
    );
    const pieces = fc.array(fc.oneof(lines, fc.string(), fc.stringMatching(/^\w{1,8}=-?\d{1,9}$/)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          buildNetwork(parseDarknetConfig(["[net]", "width=32", "height=32", ...parts].join("\n")));
        } catch (error) {
          expect(error).toBeInstanceOf(DarknetError);
        }
      }),
    );
  });
});

/** Per box: left, top, right, bottom, and one number per class, from the ONNX file. */
async function converted(text: string, weights: Buffer, input: Float32Array): Promise<number[][]> {
  const path = join(folder, "net.weights");
  writeFileSync(path, weights);
  const net = buildNetwork(parseDarknetConfig(text));
  const opened = openDarknetWeights(path, net);
  const session = await InferenceSession.create(encodeOnnx(darknetGraph(net, opened)));
  opened.close();
  const tensor = new Tensor("float32", input, [1, 3, net.input.height, net.input.width]);
  const { boxes, confs } = await session.run({ input: tensor });
  await session.release();
  if (!(boxes?.data instanceof Float32Array) || !(confs?.data instanceof Float32Array))
    throw new Error("no output");
  const [boxData, confData, classes] = [boxes.data, confs.data, confs.dims[2] ?? 0];
  return Array.from({ length: boxes.dims[1] ?? 0 }, (_, row) => [
    ...boxData.subarray(row * 4, row * 4 + 4),
    ...confData.subarray(row * classes, (row + 1) * classes),
  ]);
}

const OPENCV_SCRIPT = `
import sys, numpy, cv2
cfg, weights, source, target, width, height = sys.argv[1:]
net = cv2.dnn.readNetFromDarknet(cfg, weights)
net.setInput(numpy.fromfile(source, numpy.float32).reshape(1, 3, int(height), int(width)))
numpy.concatenate(net.forward(net.getUnconnectedOutLayersNames())).astype(numpy.float32).tofile(target)
`;

function opencvRows(name: string, text: string, weights: Buffer, input: Float32Array): number[][] {
  const path = (extension: string) => join(folder, `${name}.${extension}`);
  const net = buildNetwork(parseDarknetConfig(text));
  // Theirs leaves out what is below a threshold; ours leaves that to the filters.
  writeFileSync(path("cfg"), text.replaceAll("[yolo]", "[yolo]\nthresh=0"));
  writeFileSync(path("weights"), weights);
  writeFileSync(path("in"), new Uint8Array(input.buffer));
  const files = [path("cfg"), path("weights"), path("in"), path("out")];
  execFileSync(PYTHON, ["-c", OPENCV_SCRIPT, ...files, String(net.input.width), String(net.input.height)]);
  const values = new Float32Array(new Uint8Array(readFileSync(path("out"))).buffer);
  return Array.from({ length: values.length / 8 }, (_, row) => [...values.subarray(row * 8, row * 8 + 8)]);
}

function largestDifference(ours: readonly number[][], theirs: readonly number[][]): number {
  return Math.max(
    ...ours.flatMap((row, index) =>
      row.map((value, field) => Math.abs(value - (theirs[index]?.[field] ?? Number.NaN))),
    ),
  );
}

function network(size: { width: number; height: number }, ...layers: string[]): string {
  return [`[net]\n# a comment\nwidth=${size.width}\nheight=${size.height}`, ...layers].join("\n");
}

function conv(filters: number, size: number, activation: string, more = "", isNormalized = true): string {
  const norm = isNormalized ? "batch_normalize=1\n" : "";
  return `[convolutional]\n${norm}filters=${filters}\nsize = ${size}\n${more || "stride=1"}\npad=1\nactivation=${activation}`;
}

function yolo(mask: string, more = ""): string {
  return `[yolo]\nmask = ${mask}\nanchors = 10,14,  23,27,  37,58\nclasses=3\nnum=3\nignore_thresh=.7\n${more}`;
}

function picture(width: number, height: number): Float32Array {
  const next = generator(7);
  return Float32Array.from({ length: 3 * width * height }, () => next() / 2 + 0.5);
}
