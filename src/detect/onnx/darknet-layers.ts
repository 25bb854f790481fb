// Understands the sections of a Darknet .cfg, as darknet's parser.c does, with its default values.
import {
  DarknetError,
  type DarknetSection,
  decimalNumber,
  numberList,
  refusal,
  wholeNumber,
} from "./darknet-config.ts";
import {
  ACTIVATIONS,
  type Activation,
  type Convolution,
  type DarknetLayer,
  type DarknetNetwork,
  type MaxPool,
  type Route,
  type Shape,
  type Shortcut,
  type Upsample,
  type Yolo,
} from "./darknet-network.ts";

/** YOLOv4-P7, the largest published one, has 312. */
const MAX_LAYERS = 2_000;

/** More takes seconds a picture and gigabytes; as for other models. */
const MAX_SIDE = 4096;
/** Three scales at that size have a million. Each is in the graph with its place, before anything is computed. */
const MAX_BOXES = 2_000_000;

/** Understands a whole file. Throws a DarknetError that names section and line. */
export function buildNetwork(sections: readonly DarknetSection[]): DarknetNetwork {
  const [net, ...rest] = sections;
  if (net === undefined || (net.name !== "net" && net.name !== "network")) {
    throw new DarknetError("does not begin with a section [net]: is it a Darknet .cfg file?");
  }
  if (rest.length > MAX_LAYERS) throw new DarknetError(`has more than ${MAX_LAYERS} layers`);
  const input = {
    channels: wholeNumber(net, "channels", { min: 1, fallback: 3 }),
    height: wholeNumber(net, "height", { min: 1 }),
    width: wholeNumber(net, "width", { min: 1 }),
  };
  if (Math.max(input.height, input.width) > MAX_SIDE)
    throw refusal(
      net,
      `pictures of ${input.width}x${input.height}; a side of at most ${MAX_SIDE} is supported`,
    );
  if (input.channels !== 3)
    throw refusal(net, `channels=${input.channels}: only color pictures (3) are possible`);
  const layers: DarknetLayer[] = [];
  for (const section of rest) layers.push(readLayer(section, layers, input));
  const heads = layers.filter((layer) => layer.kind === "yolo");
  if (new Set(heads.map(({ classes }) => classes)).size > 1)
    throw new DarknetError("has sections [yolo] with different numbers of classes");
  const boxes = heads.reduce(
    (sum, { anchors, shape }) => sum + anchors.length * shape.width * shape.height,
    0,
  );
  if (boxes > MAX_BOXES)
    throw new DarknetError(`looks for ${boxes} boxes in a picture, at most ${MAX_BOXES} are possible`);
  if (heads.length > 0) return { input, layers };
  throw new DarknetError(
    "has no section [yolo]: it does not find objects, or not in a way that is known here",
  );
}

function readLayer(section: DarknetSection, before: readonly DarknetLayer[], input: Shape): DarknetLayer {
  const at = (index: number): Shape => before[index]?.shape ?? input;
  const previous = before.length - 1;
  switch (section.name) {
    case "conv":
    case "convolutional":
      return readConvolution(section, at(previous), previous);
    case "max":
    case "maxpool":
      return readMaxPool(section, at(previous), previous);
    case "route":
      return readRoute(section, layersOf(section, "layers", before.length), at);
    case "shortcut":
      return readShortcut(section, [previous, ...layersOf(section, "from", before.length)], at);
    case "upsample":
      return readUpsample(section, at(previous), previous);
    case "yolo":
      return readYolo(section, at(previous), previous);
    default:
      throw refusal(
        section,
        "this kind of layer cannot be converted (convolutional, maxpool, route, shortcut, upsample and yolo can)",
      );
  }
}

function readConvolution(section: DarknetSection, shape: Shape, from: number): Convolution {
  refuseKeys(section, [
    "binary",
    "xnor",
    "antialiasing",
    "share_index",
    "assisted_excitation",
    "deform",
    "rotate",
  ]);
  const size = wholeNumber(section, "size", { min: 1, fallback: 1 });
  const stride = readStride(section);
  const dilation = wholeNumber(section, "dilation", { min: 1, fallback: 1 });
  const isPadded = wholeNumber(section, "pad", { min: 0, fallback: 0 }) !== 0;
  const padding = isPadded ? size >> 1 : wholeNumber(section, "padding", { min: 0, fallback: 0 });
  const groups = wholeNumber(section, "groups", { min: 1, fallback: 1 });
  const filters = wholeNumber(section, "filters", { min: 1, fallback: 1 });
  if (shape.channels % groups !== 0 || filters % groups !== 0) {
    throw refusal(
      section,
      `groups=${groups} does not divide ${shape.channels} channels and ${filters} filters`,
    );
  }
  const covered = dilation * (size - 1) + 1;
  return {
    kind: "convolutional",
    from: [from],
    ...{ size, stride, padding, dilation, groups },
    hasBatchNorm: wholeNumber(section, "batch_normalize", { min: 0, fallback: 0 }) !== 0,
    activation: readActivation(section, "logistic"),
    inputChannels: shape.channels,
    shape: { channels: filters, ...slid(section, shape, covered, stride, 2 * padding) },
  };
}

function readMaxPool(section: DarknetSection, shape: Shape, from: number): MaxPool {
  refuseKeys(section, ["maxpool_depth", "antialiasing"]);
  const stride = readStride(section);
  const size = wholeNumber(section, "size", { min: 1, fallback: stride[0] });
  const padding = wholeNumber(section, "padding", { min: 0, fallback: size - 1 });
  if (padding > 2 * (size - 1)) throw refusal(section, `padding=${padding} is too much for size=${size}`);
  const out = slid(section, shape, size, stride, padding);
  return {
    kind: "maxpool",
    from: [from],
    size,
    stride,
    padding,
    shape: { channels: shape.channels, ...out },
  };
}

function readRoute(section: DarknetSection, from: readonly number[], at: (index: number) => Shape): Route {
  const groups = wholeNumber(section, "groups", { min: 1, fallback: 1 });
  const groupId = wholeNumber(section, "group_id", { min: 0, fallback: 0 });
  const shapes = from.map(at);
  const [first] = shapes;
  if (first === undefined) throw refusal(section, "layers is missing");
  if (groupId >= groups || shapes.some(({ channels }) => channels % groups !== 0)) {
    throw refusal(section, `groups=${groups}, group_id=${groupId} do not fit the channels of the layers`);
  }
  if (!shapes.every((shape) => hasSameSize(shape, first)))
    throw refusal(section, "the layers differ in size");
  const channels = shapes.reduce((sum, shape) => sum + shape.channels / groups, 0);
  return { kind: "route", from, groups, groupId, shape: { ...first, channels } };
}

function readShortcut(
  section: DarknetSection,
  from: readonly number[],
  at: (index: number) => Shape,
): Shortcut {
  refuseKeys(section, ["weights_type", "weights_normalization"]);
  const [shape, other, more] = from.map(at);
  if (shape === undefined || other === undefined || more !== undefined) {
    throw refusal(section, "from must name one layer");
  }
  if (!hasSameSize(shape, other) || shape.channels !== other.channels) {
    throw refusal(section, "the two layers differ in size");
  }
  return { kind: "shortcut", from, activation: readActivation(section, "linear"), shape };
}

function readUpsample(section: DarknetSection, shape: Shape, from: number): Upsample {
  const stride = wholeNumber(section, "stride", { min: 1, fallback: 2 });
  if (decimalNumber(section, "scale", 1) !== 1)
    throw refusal(section, "scale other than 1 cannot be converted");
  const { channels, height, width } = shape;
  return {
    kind: "upsample",
    from: [from],
    stride,
    shape: { channels, height: bounded(section, height * stride), width: bounded(section, width * stride) },
  };
}

function readYolo(section: DarknetSection, shape: Shape, from: number): Yolo {
  const classes = wholeNumber(section, "classes", { min: 1, fallback: 20 });
  const numbers = numberList(section, "anchors");
  const count = wholeNumber(section, "num", { min: 1, fallback: 1 });
  const mask = section.entries.has("mask")
    ? numberList(section, "mask")
    : Array.from({ length: count }, (_, index) => index);
  const anchors = mask.map((index): readonly [number, number] => {
    const [width, height] = [numbers[2 * index], numbers[2 * index + 1]];
    if (width === undefined || height === undefined) {
      throw refusal(section, `mask names anchor ${index}, which is not among the anchors`);
    }
    return [width, height];
  });
  const wanted = anchors.length * (5 + classes);
  if (shape.channels !== wanted) {
    throw refusal(
      section,
      `${anchors.length} anchors and ${classes} classes need filters=${wanted} in the layer before, which has ${shape.channels}`,
    );
  }
  const hasNewCoords = wholeNumber(section, "new_coords", { min: 0, fallback: 0 }) !== 0;
  const scaleXY = decimalNumber(section, "scale_x_y", 1);
  return { kind: "yolo", from: [from], anchors, classes, scaleXY, hasNewCoords, shape };
}

function readStride(section: DarknetSection): readonly [x: number, y: number] {
  const fallback = wholeNumber(section, "stride", { min: 1, fallback: 1 });
  return [
    wholeNumber(section, "stride_x", { min: 1, fallback }),
    wholeNumber(section, "stride_y", { min: 1, fallback }),
  ];
}

function readActivation(section: DarknetSection, fallback: Activation): Activation {
  const entry = section.entries.get("activation");
  const name = entry?.text ?? fallback;
  const known = ACTIVATIONS.find((activation) => activation === name);
  if (known !== undefined) return known;
  throw refusal(
    section,
    `activation=${name} cannot be converted (${ACTIVATIONS.join(", ")} can)`,
    entry?.line,
  );
}

/** Keys that change what a layer computes, in ways that are not converted. */
function refuseKeys(section: DarknetSection, keys: readonly string[]): void {
  for (const key of keys) {
    const entry = section.entries.get(key);
    if (entry === undefined || entry.text === "0" || entry.text === "none") continue;
    throw refusal(section, `${key}=${entry.text} cannot be converted`, entry.line);
  }
}

/** Layers by index; negative ones count back from this one. */
function layersOf(section: DarknetSection, key: string, own: number): readonly number[] {
  return numberList(section, key).map((number) => {
    const index = number < 0 ? own + number : number;
    if (Number.isInteger(index) && index >= 0 && index < own) return index;
    throw refusal(section, `${key} names layer ${number}, which does not come before this one`);
  });
}

/** Height and width after a window has slid over them. */
function slid(
  section: DarknetSection,
  shape: Shape,
  size: number,
  [x, y]: readonly [x: number, y: number],
  padding: number,
): { readonly height: number; readonly width: number } {
  const after = (length: number, stride: number): number =>
    Math.floor((length + padding - size) / stride) + 1;
  return { height: bounded(section, after(shape.height, y)), width: bounded(section, after(shape.width, x)) };
}

/** Larger than any picture that is looked at. */
const MAX_LENGTH = 16_384;

function bounded(section: DarknetSection, length: number): number {
  if (length >= 1 && length <= MAX_LENGTH) return length;
  throw refusal(section, `the layer would be ${length} pixels wide or high`);
}

function hasSameSize(a: Shape, b: Shape): boolean {
  return a.width === b.width && a.height === b.height;
}
