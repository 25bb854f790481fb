// What a layout is: how one family of detectors wants its picture and gives its boxes. One file per family beside this one.

/** Of one input or output; a dimension that is not known is null. */
export interface TensorFacts {
  readonly name: string;
  /** As onnxruntime calls it: "float32", "uint8", "int64" ... */
  readonly type: string;
  readonly dims: readonly (number | null)[];
}

/** What is known of a model when its layout is looked for. */
export interface ModelFacts {
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
  /** How many labels the file or the operator names; null when nobody does. */
  readonly labelCount: number | null;
  readonly isEndToEnd: boolean;
  /** Of the picture that goes in. */
  readonly inputSize: { readonly width: number; readonly height: number };
}

/** How the bytes of a picture become the numbers a model is fed with. Integer inputs get the bytes as they are. */
export interface InputForm {
  readonly fit: "letterbox" | "squeeze";
  readonly order: "rgb" | "bgr";
  /** 0 to 1; 0 to 255; or 0 to 1 less ImageNet's mean, divided by its standard deviation. */
  readonly range: "unit" | "bytes" | "imagenet";
}

/** The numbers of one output. */
export interface Output {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

export interface DecodeContext {
  readonly inputSize: ModelFacts["inputSize"];
  /** Candidates below it are left out. */
  readonly minScore: number;
}

/** Something that may be there. The box is in pixels of the model's input. */
export interface Candidate {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly score: number;
  readonly label: number;
}

export interface Layout {
  /** What `model_layout` calls it. */
  readonly key: string;
  /** For people. */
  readonly family: string;
  readonly form: InputForm;
  /** False: the model has suppressed overlaps itself. */
  readonly needsSuppression: boolean;
  /** Whether names and dimensions are those of this family. Looks that several share are of all of them. */
  fits(facts: ModelFacts): boolean;
  /** Number of classes, where the dimensions tell. */
  classCount(outputs: readonly TensorFacts[]): number | null;
  /** In any order. `outputs` are in the order of the model's. */
  decode(outputs: Outputs, context: DecodeContext): Candidate[];
}

/** By name, with what exporters append to it (":0") taken off, and by position. */
export interface Outputs {
  has(name: string): boolean;
  /** Throws when there is none of that name. */
  named(name: string): Output;
  at(index: number): Output;
  readonly count: number;
}

/** As TensorFlow's exporters write it: "detection_boxes:0". */
export function plainName(name: string): string {
  return name.replace(/:\d+$/, "");
}

export function namedFacts(tensors: readonly TensorFacts[], name: string): TensorFacts | undefined {
  return tensors.find((tensor) => plainName(tensor.name) === name);
}

export function hasNames(tensors: readonly TensorFacts[], ...names: readonly string[]): boolean {
  return names.every((name) => namedFacts(tensors, name) !== undefined);
}

/** The last dimension but `back`, or null when it is not known. */
export function lastDim(tensor: TensorFacts | undefined, back = 0): number | null {
  return tensor?.dims.at(-1 - back) ?? null;
}

/** The dimensions of the only output when it has three of them, all known; else null. */
export function onlyGrid({ outputs }: Pick<ModelFacts, "outputs">): [rows: number, columns: number] | null {
  const [only, ...others] = outputs;
  if (only === undefined || others.length > 0 || only.dims.length !== 3) return null;
  const [, rows = null, columns = null] = only.dims;
  return rows === null || columns === null ? null : [rows, columns];
}

/** Whole rows of so many columns; none of no columns, which a broken model may claim. */
export function rowCount({ length }: ArrayLike<number>, columns: number): number {
  return columns === 0 ? 0 : Math.floor(length / columns);
}

export function corners(x: number, y: number, width: number, height: number) {
  return { x1: x - width / 2, y1: y - height / 2, x2: x + width / 2, y2: y + height / 2 };
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
