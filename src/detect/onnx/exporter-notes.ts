// What exporters note in a model's metadata: labels, task, size. Ultralytics writes Python literals, others JSON.

/** What the notes of Ultralytics and its likes say; null where they say nothing. */
export interface ExporterNotes {
  /** Labels by class; a class that is not named has an empty label. */
  readonly names: readonly string[] | null;
  /** "detect", "segment", "pose", "obb", "classify" ... */
  readonly task: string | null;
  readonly size: { readonly width: number; readonly height: number } | null;
  /** True: suppression of overlaps is part of the model. */
  readonly isEndToEnd: boolean;
}

/** No text makes it throw: what is not understood counts as not said. */
export function readExporterNotes(properties: Readonly<Record<string, string>>): ExporterNotes {
  return {
    names: namesOf(properties.names ?? properties.labels ?? ""),
    task: properties.task?.trim().toLowerCase() || null,
    size: sizeOf(properties.imgsz ?? ""),
    isEndToEnd:
      /^true$/i.test(properties.end2end?.trim() ?? "") ||
      /['"]nms['"]\s*:\s*True/.test(properties.args ?? ""),
  };
}

/** More classes than any detector has; a number beyond would make an array of that length. */
const MAX_CLASSES = 20_000;

/** {0: 'person', 1: "driver's seat"}, {"0": "person"}, or a list of the labels in order. */
function namesOf(text: string): string[] | null {
  const names = namesInJson(text);
  if (names.length > 0) return Array.from(names, (name) => name ?? "");
  const trimmed = text.trim();
  if (trimmed.startsWith("[")) {
    for (const [, literal = ""] of trimmed.matchAll(new RegExp(LITERAL, "g"))) names.push(unquoted(literal));
  } else {
    const entry = new RegExp(`['"]?(\\d{1,6})['"]?\\s*:\\s*${LITERAL}`, "g");
    for (const [, number, literal = ""] of trimmed.matchAll(entry)) {
      const index = Number(number);
      if (index < MAX_CLASSES) names[index] = unquoted(literal);
    }
  }
  return names.length === 0 ? null : Array.from(names, (name) => name ?? "");
}

/** What JSON escapes, such as accents, only JSON can read; empty when it is none. */
function namesInJson(text: string): string[] {
  const names: string[] = [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return names;
  }
  for (const [key, name] of Object.entries(typeof value === "object" && value !== null ? value : {})) {
    const index = /^\d{1,6}$/.test(key) ? Number(key) : MAX_CLASSES;
    if (index < MAX_CLASSES && typeof name === "string") names[index] = name;
  }
  return names;
}

/** A string in either kind of quotes, with escapes. */
const LITERAL = String.raw`('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")`;

function unquoted(literal: string): string {
  return literal.slice(1, -1).replace(/\\(.)/g, "$1");
}

/** "[640, 480]" is height, then width; "640" is both. */
function sizeOf(text: string): ExporterNotes["size"] {
  const [height, width = height] = (text.match(/\d+/g) ?? []).map(Number);
  return height === undefined || width === undefined || height === 0 || width === 0
    ? null
    : { width, height };
}
