// Settings changed from afar (escontrol): which keys may be, how they may be called, and what was kept of them.
import type { Remark } from "./raw-file.ts";
import type { Override } from "./read-entries.ts";
import { type KeyPath, type KnownKey, knownKeys } from "./schema.ts";
import { nearest } from "./words.ts";

/** Which key is meant, or in words why none is; `candidates` where several are. */
export type NamedKey =
  | { readonly found: true; readonly key: KnownKey }
  | {
      readonly found: false;
      /** `key`: it names none, or several. `guarded`: not from afar. */
      readonly fault: "key" | "guarded";
      readonly problem: string;
      readonly candidates: readonly KeyPath[];
    };

/**
 * "section.key", or the bare key as in versions 5.7 to 7, which then changed every section that has it: `enable` those
 * of auth, fcm, mqtt and ssl together. Here a bare key must have one meaning.
 */
export function findEditable(name: string): NamedKey {
  const named = find(name.trim());
  if (!named.found) return named;
  const { guarded, path, status, reason } = named.key;
  if (guarded !== null)
    return unusable(`${path} has to do with ${guarded}: it is changed in the file only`, "guarded");
  if (status === "no longer needed") return unusable(`${path} is no longer needed: ${reason}`);
  return named;
}

function find(name: string): NamedKey {
  const exact = knownKeys.get(name);
  if (exact) return { found: true, key: exact };
  const bare = [...knownKeys.values()].filter(({ key }) => key === name);
  const [only] = bare;
  if (only && bare.length === 1) return { found: true, key: only };
  const candidates = bare.map(({ path }) => path);
  if (only)
    return { found: false, fault: "key", problem: `there are several: ${candidates.join(", ")}`, candidates };
  const names = name.includes(".") ? knownKeys.keys() : [...knownKeys.values()].map(({ key }) => key);
  const meant = nearest(name, names);
  return unusable(`there is no such key${meant ? `; did you mean ${meant}?` : ""}`);
}

function unusable(problem: string, fault: "key" | "guarded" = "key"): NamedKey {
  return { found: false, fault, problem, candidates: [] };
}

/** What was kept, as options that stand above the file, and what of it cannot be. */
export function keptOverrides(kept: ReadonlyMap<string, string>): {
  readonly overrides: readonly Override[];
  readonly warnings: readonly Remark[];
} {
  const overrides: Override[] = [];
  const warnings: Remark[] = [];
  for (const [name, text] of kept) {
    const named = findEditable(name);
    if (named.found) overrides.push({ path: named.key.path, text, option: `escontrol, ${named.key.path}` });
    else warnings.push({ line: 0, text: `a setting changed by escontrol is ignored: ${named.problem}` });
  }
  return { overrides, warnings };
}
