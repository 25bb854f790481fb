// Which of the files that somebody names is what, and how they are called where models are kept.

/** A model as it is put together from what was named; the numbers are positions in that list. */
export interface SourcePlan {
  readonly kind: "onnx" | "darknet";
  /** What `detection.model` is set to. */
  readonly name: string;
  readonly files: readonly PlannedFile[];
}

interface PlannedFile {
  readonly role: "weights" | "config" | "labels";
  /** Position among what was named. */
  readonly source: number;
  /** In the folder of models. */
  readonly name: string;
}

/** The plan, or what is wrong in words. `names` are last parts of paths and addresses. */
export function planSources(names: readonly string[]): SourcePlan | string {
  const ofKind = (...endings: readonly string[]) =>
    names.flatMap((name, index) => (endings.includes(endingOf(name)) ? [index] : []));
  const [onnx, weights, config] = [ofKind(".onnx"), ofKind(".weights"), ofKind(".cfg")];
  const labels = ofKind(".names", ".txt", ".labels");
  const unknown = names.find((_, index) => ![onnx, weights, config, labels].flat().includes(index));
  if (unknown !== undefined)
    return OTHER_KINDS[endingOf(unknown)] ?? `${unknown} is neither .onnx nor .weights and .cfg.`;
  if (onnx.length + weights.length > 1) return "one model at a time.";
  if (config.length > 1 || labels.length > 1) return "one .cfg and one file of labels at a time.";
  const kind = onnx.length === 1 ? "onnx" : "darknet";
  const [main] = kind === "onnx" ? onnx : weights;
  if (main === undefined) return "it takes an .onnx file, or .cfg and .weights of Darknet.";
  if (kind === "darknet" && config[0] === undefined)
    return "the .cfg that belongs to the .weights is missing.";
  if (kind === "onnx" && config[0] !== undefined) return "an .onnx file needs no .cfg.";
  const name = safeName(names[main] ?? "");
  if (name === null)
    return `${names[main]} is not a name for a model: letters, digits, ".", "-" and "_" only.`;
  const base = name.slice(0, -endingOf(name).length);
  const planned = (role: PlannedFile["role"], source: number | undefined, ending: string) =>
    source === undefined ? [] : [{ role, source, name: `${base}${ending}` }];
  return {
    kind,
    name,
    files: [
      { role: "weights", source: main, name },
      ...planned("config", config[0], ".cfg"),
      ...planned("labels", labels[0], ".names"),
    ],
  };
}

/** What people have of the models they train, and how it becomes one that can be used. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  ".pt": "a .pt file must be exported first: yolo export model=FILE.pt format=onnx",
  ".pth": "a .pth file must be exported to ONNX first, with the program that trained it.",
  ".tflite": "a .tflite file cannot be used; get the same model as ONNX.",
  ".engine": "a TensorRT engine cannot be used; get the model as ONNX, from which it was made.",
  ".pb": "a TensorFlow graph must be converted first: python -m tf2onnx.convert",
};

function endingOf(name: string): string {
  return /\.[A-Za-z0-9]+$/.exec(name)?.[0].toLowerCase() ?? "";
}

/** No folder, nothing hidden, nothing a shell or a configuration file would take for something else. */
function safeName(name: string): string | null {
  return /^[A-Za-z0-9][\w.+-]{0,99}$/.test(name) ? name : null;
}
