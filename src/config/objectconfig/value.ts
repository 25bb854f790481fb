// A value of an objectconfig file, of whatever dialect, with its place: what readers make and settings are built from.

export interface Value {
  readonly kind: "text" | "list" | "map" | "nothing";
  /** As `--override` names it, such as "ml_sequence.object.sequence[0].name", with the section in front where it has one. */
  readonly path: string;
  /** From 1; 0: not from the file. */
  readonly line: number;
  /** Numbers and truth values too; empty unless kind is "text". */
  readonly text: string;
  readonly items: readonly Value[];
  readonly entries: Entries;
}

export type Entries = ReadonlyMap<string, Value>;

/** Where a value stands. */
export type Place = Pick<Value, "path" | "line">;

export const NO_ENTRIES: Entries = new Map();

export function textAt(place: Place, text: string): Value {
  return { kind: "text", ...placeOf(place), text, items: [], entries: NO_ENTRIES };
}

export function listAt(place: Place, items: readonly Value[]): Value {
  return { kind: "list", ...placeOf(place), text: "", items, entries: NO_ENTRIES };
}

export function mapAt(place: Place, entries: Entries): Value {
  return { kind: "map", ...placeOf(place), text: "", items: [], entries };
}

export function nothingAt(place: Place): Value {
  return { kind: "nothing", ...placeOf(place), text: "", items: [], entries: NO_ENTRIES };
}

/** The value with another in place of what it has in the map, or added to it. */
export function withEntry(entries: Entries, key: string, value: Value): Entries {
  return new Map([...entries, [key, value]]);
}

/** Maps are merged key by key, of anything else the second is taken: a monitor's values above those of all. */
export function merged(below: Entries, above: Entries): Entries {
  const all = new Map(below);
  for (const [key, value] of above) {
    const other = below.get(key);
    const isDeep = other?.kind === "map" && value.kind === "map";
    all.set(key, isDeep ? { ...value, entries: merged(other.entries, value.entries) } : value);
  }
  return all;
}

function placeOf({ path, line }: Place): Place {
  return { path, line };
}
