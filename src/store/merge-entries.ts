// Brings together what the program knows of its tokens and what somebody wrote into their file meanwhile.
import type { TokenEntry } from "./token-file.ts";

type Entries = ReadonlyMap<string, TokenEntry>;

/** What has to change in memory: the entry as it shall be, or null for a token that was taken out. */
export type EntryChanges = ReadonlyMap<string, TokenEntry | null>;

/**
 * `base` is what the file held when it was last read or written, `theirs` what it holds now, `ours` what is in
 * memory. Changes of both sides hold; where both changed the same field, the file wins: somebody meant it.
 */
export function changesFrom(base: Entries, theirs: Entries, ours: Entries): EntryChanges {
  const changes = new Map<string, TokenEntry | null>();
  for (const [token, their] of theirs) {
    const our = ours.get(token);
    const before = base.get(token);
    // Forgotten here since: that the file still names it is no news.
    if (our === undefined && before !== undefined && isSame(before, their)) continue;
    const edited = our === undefined ? their : withEdits(before ?? {}, their, our);
    if (our === undefined || !isSame(edited, our)) changes.set(token, edited);
  }
  for (const token of base.keys()) if (!theirs.has(token) && ours.has(token)) changes.set(token, null);
  return changes;
}

/** A field missing from the file is no edit: colon lines have only four of them. */
function withEdits(before: TokenEntry, their: TokenEntry, our: TokenEntry): TokenEntry {
  const edits = Object.entries(their).filter(([field, value]) => !isSame(before[field], value));
  return { ...our, ...Object.fromEntries(edits) };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
