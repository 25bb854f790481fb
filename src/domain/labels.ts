// What was detected, by name: taken from the JSON of a hook, in either form that detectors print.

/** Nobody looks for more in one picture. */
const MOST_LABELS = 50;
/** `Tags.Name` of ZoneMinder takes 64 characters. */
const LONGEST_LABEL = 64;

/**
 * The names, each once: `labels` of an object, or `label` of each member of a list, the older form. Anything else
 * holds none. Never throws.
 */
export function labelsOf(json: unknown): readonly string[] {
  const names = Array.isArray(json) ? json.map((each) => member(each, "label")) : member(json, "labels");
  if (!Array.isArray(names)) return [];
  const texts = names.filter((name) => typeof name === "string").map((name) => name.trim());
  return [...new Set(texts)]
    .filter((name) => name !== "" && name.length <= LONGEST_LABEL)
    .slice(0, MOST_LABELS);
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
