// What the two file readers have in common: sections of entries, each with the line it stands on.

/** A value as written. Texts stay texts until the schema says what they should be. */
export type RawValue =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "nothing" }
  | { readonly kind: "mapping" };

export interface RawEntry {
  readonly section: string;
  readonly key: string;
  readonly value: RawValue;
  readonly line: number;
}

/** Something to say about a line. The text never contains the line's own content: it may be a secret. */
export interface Remark {
  readonly line: number;
  readonly text: string;
}

export interface RawFile {
  /** In file order, each key of a section once. */
  readonly entries: readonly RawEntry[];
  /** First line of every section, also of empty ones. */
  readonly sections: ReadonlyMap<string, number>;
  readonly warnings: readonly Remark[];
  readonly problems: readonly Remark[];
  /** False when the text could not be understood as a whole: what is missing from it means nothing then. */
  readonly complete: boolean;
}

/** The name if it is one, else words that stand for it: a line that went wrong may hold a secret. */
export function printableName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : "(unreadable name)";
}

/** A text value. */
export function textValue(text: string, quoted = false): RawValue {
  return { kind: "text", text, quoted };
}
