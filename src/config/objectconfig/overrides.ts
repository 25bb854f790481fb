// What a command line sets above the file: "dotted.path[0].key=value", as `zm_detect.py --override` takes it.
import { readTree } from "../yaml-tree.ts";
import {
  type Entries,
  listAt,
  mapAt,
  NO_ENTRIES,
  nothingAt,
  textAt,
  type Value,
  withEntry,
} from "./value.ts";
import { TooMuch, yamlValues } from "./yaml-values.ts";

export type Overridden =
  | { readonly ok: true; readonly values: Entries }
  | { readonly ok: false; readonly problem: string };

/**
 * The values with the override in place. A section in front of the path may be left out. `[0]` and `[Name]` choose one of a
 * list, by number or by its `name`; maps that are missing are made. Never throws; the value is never in `problem`.
 */
export function withOverride(values: Entries, override: string): Overridden {
  const equals = override.indexOf("=");
  const path = override.slice(0, Math.max(equals, 0)).trim();
  const steps = stepsOf(path);
  if (steps === null) {
    const problem =
      equals < 0
        ? "an override is written as path=value, such as ml_sequence.object.sequence[0].object_min_confidence=0.5"
        : "its path cannot be read; it is written as ml_sequence.object.sequence[0].object_min_confidence, for example";
    return { ok: false, problem };
  }
  const [first, ...others] = steps;
  const hasSection = first !== undefined && others.length > 0 && SECTIONS.has(first.key) && !first.isIndex;
  const value = writtenValue(override.slice(equals + 1).trim(), path);
  const changed = placed(mapAt({ path: "", line: 0 }, values), hasSection ? others : steps, value, "");
  return typeof changed === "string"
    ? { ok: false, problem: changed }
    : { ok: true, values: changed.entries };
}

interface Step {
  readonly key: string;
  readonly isIndex: boolean;
}

const SECTIONS = new Set(["general", "remote", "ml", "push", "animation"]);
/** Nobody's path is longer. */
const MOST_STEPS = 20;

function stepsOf(path: string): readonly Step[] | null {
  if (!/^[^.[\]]+(\[[^[\]]+\]|\.[^.[\]]+)*$/.test(path)) return null;
  const steps = [...path.matchAll(/\[([^[\]]+)\]|[^.[\]]+/g)].map(([whole, index]) => ({
    key: (index ?? whole).trim(),
    isIndex: index !== undefined,
  }));
  return steps.length > MOST_STEPS ? null : steps;
}

/** Lists and maps in brackets, as YAML has them; everything else is a text. */
function writtenValue(text: string, path: string): Value {
  const place = { path, line: 0 };
  if (!/^[[{](?!\{)/.test(text)) return textAt(place, text);
  const { root, problems } = readTree(text);
  if (root === null || problems.length > 0) return textAt(place, text);
  try {
    return yamlValues({ hasLines: false })(root, path);
  } catch (failure) {
    if (!(failure instanceof TooMuch)) throw failure;
    return textAt(place, text);
  }
}

/** The changed value, or what is wrong. */
function placed(at: Value, steps: readonly Step[], value: Value, path: string): Value | string {
  const [step, ...others] = steps;
  if (step === undefined) return value;
  if (step.isIndex) return placedInList(at, step, others, value, path);
  const { key } = step;
  const below = path === "" ? key : `${path}.${key}`;
  if (at.kind === "list" || at.kind === "text")
    return `${path} has no key ${key}; it is ${at.kind === "list" ? "a list" : "a single value"}`;
  const changed = placed(at.entries.get(key) ?? nothingAt({ path: below, line: 0 }), others, value, below);
  if (typeof changed === "string") return changed;
  return mapAt(at, withEntry(at.kind === "map" ? at.entries : NO_ENTRIES, key, changed));
}

function placedInList(
  at: Value,
  { key }: Step,
  others: readonly Step[],
  value: Value,
  path: string,
): Value | string {
  if (at.kind !== "list") return `${path} is no list`;
  const index = /^\d+$/.test(key)
    ? Number(key)
    : at.items.findIndex(({ entries }) => entries.get("name")?.text === key);
  const item = at.items[index];
  if (item === undefined) return `${path} has no [${key}]; it has ${at.items.length} in it`;
  const changed = placed(item, others, value, `${path}[${key}]`);
  if (typeof changed === "string") return changed;
  return listAt(at, at.items.with(index, changed));
}
