// Writes ONNX files (onnx.proto, ModelProto): what the Darknet converter makes, and small graphs for tests. Weights are
// not copied: they pass through one tensor at a time, so that a model of 250 MB needs the memory of its largest layer.
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export interface OnnxModel {
  readonly name: string;
  /** Version of the operators, such as 13. */
  readonly opset: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

/** An input or output. A dimension with a name is decided when the model runs. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly (number | string)[];
}

export interface OnnxNode {
  readonly op: string;
  /** An empty name stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly tensor: OnnxTensor };

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** The values; a function is called when its turn to be written comes. */
  readonly data: OnnxData | (() => OnnxData);
}

export type OnnxType = keyof typeof TYPES;
type OnnxData = Float32Array | BigInt64Array | Int32Array | Uint8Array;

/** TensorProto.DataType, and bytes of one value. */
const TYPES = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
} as const;

/** File format version 8, of ONNX 1.10: every runtime since 2021 reads it. */
const IR_VERSION = 8;

/** The file in pieces, in order. Throws when a tensor's values do not fill its dimensions. */
export function* onnxChunks(model: OnnxModel): Generator<Uint8Array> {
  const graph = graphParts(model);
  const head = new BinaryWriter().tag(1, WireType.Varint).int64(IR_VERSION);
  text(head, 2, "zmes");
  message(head, 8, (opset) => {
    text(opset, 1, "");
    opset.tag(2, WireType.Varint).int64(model.opset);
  });
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    message(head, 14, (entry) => {
      text(entry, 1, key);
      text(entry, 2, value);
    });
  }
  const length = graph.reduce(
    (sum, part) => sum + (part instanceof Uint8Array ? part.length : part.bytes),
    0,
  );
  yield head.tag(7, WireType.LengthDelimited).uint32(length).finish();
  for (const part of graph) yield part instanceof Uint8Array ? part : valuesOf(part.tensor, part.bytes);
}

/** The whole file at once, for small models. */
export function encodeOnnx(model: OnnxModel): Buffer {
  return Buffer.concat([...onnxChunks(model)]);
}

/** Shorthand for a tensor of whole numbers, such as a shape. */
export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): OnnxTensor {
  return { name, type: "int64", dims, data: BigInt64Array.from(values, BigInt) };
}

/** Shorthand for a tensor of float32. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: readonly number[] | Float32Array,
): OnnxTensor {
  return {
    name,
    type: "float32",
    dims,
    data: values instanceof Float32Array ? values : Float32Array.from(values),
  };
}

/** Values that are fetched when they are written. */
interface Values {
  readonly tensor: OnnxTensor;
  readonly bytes: number;
}

function graphParts(model: OnnxModel): (Uint8Array | Values)[] {
  const head = new BinaryWriter();
  for (const node of model.nodes) message(head, 1, (writer) => writeNode(writer, node));
  text(head, 2, model.name);
  for (const value of model.inputs) message(head, 11, (writer) => writeValue(writer, value));
  for (const value of model.outputs) message(head, 12, (writer) => writeValue(writer, value));
  return [head.finish(), ...model.initializers.flatMap(initializerParts)];
}

function initializerParts(tensor: OnnxTensor): [Uint8Array, Values] {
  const bytes = bytesOf(tensor);
  const head = tensorHead(tensor, bytes);
  const prefix = new BinaryWriter().tag(5, WireType.LengthDelimited).uint32(head.length + bytes);
  return [prefix.raw(head).finish(), { tensor, bytes }];
}

/** A TensorProto up to, and without, the bytes of its values. */
function tensorHead(tensor: OnnxTensor, bytes: number): Uint8Array {
  const writer = new BinaryWriter();
  for (const size of tensor.dims) writer.tag(1, WireType.Varint).int64(size);
  writer.tag(2, WireType.Varint).int32(TYPES[tensor.type].code);
  text(writer, 8, tensor.name);
  return writer.tag(9, WireType.LengthDelimited).uint32(bytes).finish();
}

function bytesOf({ type, dims }: OnnxTensor): number {
  return dims.reduce((product, size) => product * size, 1) * TYPES[type].bytes;
}

/** In the byte order of the machine, which is ONNX's on all that Node 24 has builds for that we support. */
function valuesOf({ name, dims, data }: OnnxTensor, bytes: number): Uint8Array {
  const values = typeof data === "function" ? data() : data;
  if (values.byteLength !== bytes) {
    throw new Error(`Tensor ${name} of [${dims.join(", ")}] takes ${bytes} bytes, not ${values.byteLength}`);
  }
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const name of node.inputs) text(writer, 1, name);
  for (const name of node.outputs) text(writer, 2, name);
  text(writer, 4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    message(writer, 5, (inner) => writeAttribute(inner, name, attribute));
  }
}

/** AttributeProto; field 20 says which of the others counts. */
function writeAttribute(writer: BinaryWriter, name: string, attribute: OnnxAttribute): void {
  const type = (code: number): BinaryWriter => writer.tag(20, WireType.Varint).int32(code);
  text(writer, 1, name);
  if ("float" in attribute) {
    type(1).tag(2, WireType.Bit32).float(attribute.float);
  } else if ("int" in attribute) {
    type(2).tag(3, WireType.Varint).int64(attribute.int);
  } else if ("string" in attribute) {
    text(type(3), 4, attribute.string);
  } else if ("tensor" in attribute) {
    const bytes = bytesOf(attribute.tensor);
    message(type(4), 5, (inner) => {
      inner.raw(tensorHead(attribute.tensor, bytes)).raw(valuesOf(attribute.tensor, bytes));
    });
  } else if ("floats" in attribute) {
    type(6);
    for (const value of attribute.floats) writer.tag(7, WireType.Bit32).float(value);
  } else {
    type(7);
    for (const value of attribute.ints) writer.tag(8, WireType.Varint).int64(value);
  }
}

/** ValueInfoProto with a TypeProto.Tensor. */
function writeValue(writer: BinaryWriter, { name, type, dims }: OnnxValue): void {
  text(writer, 1, name);
  message(writer, 2, (typeProto) =>
    message(typeProto, 1, (tensor) => {
      tensor.tag(1, WireType.Varint).int32(TYPES[type].code);
      message(tensor, 2, (shape) => {
        for (const size of dims) message(shape, 1, (dimension) => writeDimension(dimension, size));
      });
    }),
  );
}

function writeDimension(writer: BinaryWriter, size: number | string): void {
  if (typeof size === "string") text(writer, 2, size);
  else writer.tag(1, WireType.Varint).int64(size);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}
