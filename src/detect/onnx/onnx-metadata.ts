// Reads what an ONNX file says about itself (onnx.proto, ModelProto), which onnxruntime does not tell: a few kilobytes of
// it, however large its weights are.
import { type FileHandle, open } from "node:fs/promises";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { reasonOf } from "../../lib/errors.ts";

export interface OnnxMetadata {
  readonly irVersion: number;
  /** Program that made the file, such as "pytorch"; empty when it does not say. */
  readonly producer: string;
  /** Version of the standard operators; null when none is named. */
  readonly opset: number | null;
  /** What the exporter added (`metadata_props`): Ultralytics puts names, task and imgsz here. */
  readonly properties: Readonly<Record<string, string>>;
  /** Of the graph; in old files, weights are among the inputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Rejects with an Error that names the file when it cannot be read or is no ONNX model. */
export async function readOnnxMetadata(file: string): Promise<OnnxMetadata> {
  const handle = await opened(file);
  try {
    const { size } = await handle.stat();
    if (size === 0) throw new Error("it is empty (0 bytes)");
    return await readModel(createFields(handle), size);
  } catch (failure) {
    throw new Error(`${file} is not an ONNX model that can be read: ${reasonOf(failure)}`, {
      cause: failure,
    });
  } finally {
    await handle.close();
  }
}

/** The nodes of the largest detectors take 1 MB; more than this is not worth reading before the runtime judges the file. */
const MAX_READ_BYTES = 16 * 1024 * 1024;
/** Nodes and weights of a graph; the largest detectors have 5,000. */
const MAX_FIELDS = 200_000;
/** Names of 10,000 labels. */
const MAX_TEXT_BYTES = 512 * 1024;
const MAX_PROPERTIES = 1000;
/** Read at once: most nodes are 100 to 300 bytes, and weights are jumped over. */
const WINDOW_BYTES = 4096;

async function opened(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (failure) {
    throw new Error(`${file} cannot be read: ${reasonOf(failure)}`, { cause: failure });
  }
}

/** A field's number, and where its content is; of numbers, the value. */
interface Field {
  readonly number: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

interface Fields {
  /** The fields between two offsets, one after the other, without reading their content. */
  between(start: number, end: number): AsyncGenerator<Field>;
  read(field: Field): Promise<Buffer>;
}

async function readModel(fields: Fields, size: number): Promise<OnnxMetadata> {
  let irVersion = 0;
  let producer = "";
  let opset: number | null = null;
  let graph: Pick<OnnxMetadata, "inputs" | "outputs"> | null = null;
  const properties: [string, string][] = [];
  for await (const field of fields.between(0, size)) {
    if (field.number === 1) irVersion = field.value;
    else if (field.number === 2) producer = (await fields.read(field)).toString();
    else if (field.number === 7) graph = await readGraph(fields, field);
    else if (field.number === 8) opset = opsetOf(await fields.read(field)) ?? opset;
    else if (field.number === 14 && properties.length < MAX_PROPERTIES) {
      // Whole tokenizers have been seen here: nothing that is asked for is so long.
      if (field.end - field.start <= MAX_TEXT_BYTES) properties.push(propertyOf(await fields.read(field)));
    }
  }
  if (irVersion === 0 || graph === null) throw new Error("it holds no graph");
  return { irVersion, producer, opset, properties: Object.fromEntries(properties), ...graph };
}

async function readGraph(fields: Fields, graph: Field): Promise<Pick<OnnxMetadata, "inputs" | "outputs">> {
  const inputs: string[] = [];
  const outputs: string[] = [];
  for await (const field of fields.between(graph.start, graph.end)) {
    if (field.number === 11) inputs.push(firstText(await fields.read(field)));
    else if (field.number === 12) outputs.push(firstText(await fields.read(field)));
  }
  return { inputs, outputs };
}

/** Version of the standard operators (OperatorSetIdProto); null when it is about others. */
function opsetOf(bytes: Buffer): number | null {
  let domain = "";
  let version = 0;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === 1) domain = reader.string();
    else if (number === 2) version = Number(reader.int64());
    else reader.skip(type, number);
  }
  return domain === "" || domain === "ai.onnx" ? version : null;
}

/** StringStringEntryProto. */
function propertyOf(bytes: Buffer): [string, string] {
  let key = "";
  let value = "";
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === 1) key = reader.string();
    else if (number === 2) value = reader.string();
    else reader.skip(type, number);
  }
  return [key, value];
}

/** Field 1, the name of a ValueInfoProto. */
function firstText(bytes: Buffer): string {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === 1) return reader.string();
    reader.skip(type, number);
  }
  return "";
}

function createFields(handle: FileHandle): Fields {
  let window = Buffer.alloc(0);
  let windowStart = 0;
  let bytesRead = 0;
  let count = 0;
  return {
    async *between(start, end) {
      for (let at = start; at < end; ) {
        count += 1;
        if (count > MAX_FIELDS) throw new Error(`it has more than ${MAX_FIELDS} parts`);
        const field = await fieldAt(at, end);
        yield field;
        at = field.end;
      }
    },
    async read({ start, end }) {
      if (end - start > MAX_TEXT_BYTES) throw new Error(`a part at byte ${start} is too long`);
      return bytesAt(start, end - start);
    },
  };

  async function fieldAt(at: number, end: number): Promise<Field> {
    // Two varints take at most 20 bytes.
    const reader = new BinaryReader(await bytesAt(at, Math.min(20, end - at)));
    const [number, type] = reader.tag();
    let value = 0;
    let length = 0;
    if (type === WireType.Varint) value = Number(reader.int64());
    else if (type === WireType.LengthDelimited) length = Number(reader.uint64());
    else if (type === WireType.Bit32) length = 4;
    else if (type === WireType.Bit64) length = 8;
    else throw new Error(`byte ${at} makes no sense`);
    const start = at + reader.pos;
    if (start + length > end) throw new Error(`it is cut short (a part at byte ${at} ends behind the file)`);
    return { number, value, start, end: start + length };
  }

  async function bytesAt(at: number, length: number): Promise<Buffer> {
    if (at < windowStart || at + length > windowStart + window.length) {
      const bytes = Buffer.alloc(Math.max(length, WINDOW_BYTES));
      const read = await handle.read(bytes, 0, bytes.length, at);
      bytesRead += read.bytesRead;
      if (bytesRead > MAX_READ_BYTES) throw new Error("its description is too long");
      if (read.bytesRead < length) throw new Error("it is cut short");
      window = bytes.subarray(0, read.bytesRead);
      windowStart = at;
    }
    return window.subarray(at - windowStart, at - windowStart + length);
  }
}
