// Reads objectconfig.ini (3.2 to 6) and objectconfig.yml (7) into one form: values for all monitors, and those of single ones.
import { isIni } from "../config-file.ts";
import type { Remark } from "../raw-file.ts";
import { printableName } from "../raw-file.ts";
import { readTree } from "../yaml-tree.ts";
import { type IniSection, type IniValue, readIniLines } from "./ini-lines.ts";
import { readLiteral } from "./python-literal.ts";
import { type Entries, textAt, type Value } from "./value.ts";
import { TooMuch, yamlValues } from "./yaml-values.ts";

export interface ObjectConfigFile {
  readonly path: string;
  /** 6: 4 to 6. */
  readonly version: 3 | 6 | 7;
  /** By key, whatever section they stand in. */
  readonly values: Entries;
  readonly monitors: ReadonlyMap<number, Entries>;
  readonly remarks: readonly Remark[];
  /** With any of them the file cannot be used. */
  readonly problems: readonly Remark[];
}

/** Never throws. */
export function readObjectConfigFile(path: string, text: string): ObjectConfigFile {
  return isIni(path, text) ? readIniFile(path, text) : readYamlFile(path, text);
}

/** What is put together while a file is read. */
interface Sink {
  readonly values: Map<string, Value>;
  readonly monitors: Map<number, Entries>;
  readonly remarks: Remark[];
  readonly problems: Remark[];
}

/** Keys that version 3.2 did not have, and every later sample has one of. */
const SINCE_4 =
  /^(use_sequence|ml_sequence|stream_sequence|detection_sequence|base_data_path|secrets|(object|face|alpr)_\w+)$/;
const MONITOR = /^monitor-(\d{1,9})$/;
/** Python literals. */
const SEQUENCES = new Set(["ml_sequence", "stream_sequence"]);

function readIniFile(path: string, text: string): ObjectConfigFile {
  const { sections, warnings, problems } = readIniLines(text);
  const sink: Sink = {
    values: new Map(),
    monitors: new Map(),
    remarks: [...warnings],
    problems: [...problems],
  };
  const isNew = sections.some(
    ({ name, values }) => !MONITOR.test(name) && values.some(({ key }) => SINCE_4.test(key)),
  );
  // What [general] says is what the original read where two sections have a key.
  for (const section of sections.toSorted(
    (a, b) => Number(b.name === "general") - Number(a.name === "general"),
  )) {
    const number = MONITOR.exec(section.name)?.[1];
    if (number === undefined) readIniSection(section, sink);
    else sink.monitors.set(Number(number), iniEntries(section, sink));
  }
  return { path, version: isNew ? 6 : 3, ...sink };
}

function readIniSection(section: IniSection, sink: Sink): void {
  if (/^monitor/i.test(section.name)) {
    const text = `section ${printableName(section.name)} names no monitor; it is called [monitor-3], for example`;
    sink.remarks.push({ line: section.line, text });
    return;
  }
  for (const [key, value] of iniEntries(section, sink)) {
    const first = sink.values.get(key);
    if (first === undefined) sink.values.set(key, value);
    else {
      const text = `${printableName(key)} is given again; that of line ${first.line} counts`;
      sink.remarks.push({ line: value.line, text });
    }
  }
}

function iniEntries({ name, values }: IniSection, sink: Sink): Map<string, Value> {
  return new Map(values.map((each) => [each.key, iniValue(name, each, sink)]));
}

function iniValue(section: string, { key, line, column, text, raw }: IniValue, sink: Sink): Value {
  const place = { path: `${section}.${key}`, line };
  if (!SEQUENCES.has(key) || text === "") return textAt(place, text);
  const read = readLiteral(raw, { ...place, column });
  if (!read.ok) {
    sink.problems.push({ line: read.line, text: `${key}, ${read.problem}` });
    return textAt(place, "");
  }
  for (const { path, line: at } of read.doubled)
    sink.remarks.push({ line: at, text: `${path} is given again below; the last one counts` });
  if (read.value.kind !== "map") sink.problems.push({ line, text: `${key} must be a dictionary, { ... }` });
  return read.value;
}

/** The sections of version 7, and [animation] of 6, which it no longer has. */
const SECTIONS = new Set(["general", "remote", "ml", "push", "animation"]);

function readYamlFile(path: string, text: string): ObjectConfigFile {
  const { root, problems } = readTree(text);
  const sink: Sink = { values: new Map(), monitors: new Map(), remarks: [], problems: [...problems] };
  if (root !== null && root.kind !== "map" && root.kind !== "nothing")
    sink.problems.push({ line: root.line, text: 'expected sections such as "general:"' });
  const toValue = yamlValues({ hasLines: true });
  try {
    for (const { key, node } of root?.entries() ?? []) {
      const value = toValue(node, key);
      if (key === "monitors") readMonitors(value, sink);
      else for (const [name, each] of flattened(new Map([[key, value]]))) sink.values.set(name, each);
    }
  } catch (failure) {
    if (!(failure instanceof TooMuch)) throw failure;
    sink.problems.push({ line: failure.line, text: "values are nested too deeply here, or are too many" });
  }
  return { path, version: 7, ...sink };
}

function readMonitors({ kind, line, entries }: Value, sink: Sink): void {
  if (kind !== "map" && kind !== "nothing")
    sink.problems.push({ line, text: "monitors: expected numbers of monitors below it" });
  for (const [key, value] of entries) {
    if (/^\d{1,9}$/.test(key)) sink.monitors.set(Number(key), flattened(value.entries));
    else
      sink.remarks.push({
        line: value.line,
        text: `monitors: ${printableName(key)} is no number of a monitor`,
      });
  }
}

/** Keys without their sections. */
function flattened(entries: Entries): Map<string, Value> {
  const flat = new Map<string, Value>();
  for (const [key, value] of entries) {
    if (!SECTIONS.has(key) || value.kind !== "map") flat.set(key, value);
    else for (const [name, each] of value.entries) flat.set(name, each);
  }
  return flat;
}
