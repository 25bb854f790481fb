// Reads the entries of a file, and the options of the command line, into values of the schema.
import { type Dialect, readAsTrueBy } from "./dialect.ts";
import { oldHomes } from "./old-homes.ts";
import { type RawEntry, type RawFile, type RawValue, type Remark, textValue } from "./raw-file.ts";
import { meansFalse, readValue } from "./read-value.ts";
import { type References, resolveText } from "./resolve-text.ts";
import { type KeyPath, type KnownKey, knownKeys } from "./schema.ts";
import { remarkUnknown } from "./unknown-keys.ts";

/** One option of the command line that stands above the file. */
export interface Override {
  readonly path: KeyPath;
  readonly text: string;
  /** As the operator knows it, such as "--port". */
  readonly option: string;
}

/** A value that somebody set. */
interface Setting {
  readonly value: unknown;
  readonly line: number;
  /** True when the value must not be shown. */
  readonly secret: boolean;
}

export interface Settings {
  readonly values: ReadonlyMap<KeyPath, Setting>;
  readonly warnings: readonly Remark[];
  readonly problems: readonly Remark[];
}

/** Reads every entry of the file; what cannot be read is a problem, and its key keeps the default. */
export function readEntries(file: RawFile, dialect: Dialect, references: References): Settings {
  const sink = emptySink();
  const unknown: RawEntry[] = [];
  const written = new Set(file.entries.map((entry) => `${entry.section}.${entry.key}`));
  for (const entry of file.entries) {
    const path = `${entry.section}.${entry.key}`;
    const home = oldHomes.get(path);
    const known = knownKeys.get(home ?? path);
    if (!known) {
      unknown.push(entry);
    } else if (home !== undefined && (written.has(home) || sink.values.has(home))) {
      sink.warnings.push({
        line: entry.line,
        text: `${path} is now called ${home}, which is set as well and counts`,
      });
    } else {
      if (home !== undefined) sink.warnings.push({ line: entry.line, text: `${path} is now called ${home}` });
      readEntry({ entry, known, dialect, references, sink });
    }
  }
  sink.warnings.push(...remarkUnknown(file, unknown));
  return sink;
}

/** Reads the options; line 0 stands for the command line. The last one of a kind counts. */
export function readOverrides(overrides: readonly Override[]): Settings {
  const sink = emptySink();
  for (const { path, text, option } of overrides) {
    const known = knownKeys.get(path);
    if (!known) continue;
    const read = check(known, textValue(text));
    if (read.ok) sink.values.set(path, { value: read.value, line: 0, secret: known.secret });
    else sink.problems.push({ line: 0, text: `${option}: ${wrong(known, textValue(text), known.secret)}` });
  }
  return sink;
}

interface Sink {
  readonly values: Map<KeyPath, Setting>;
  readonly warnings: Remark[];
  readonly problems: Remark[];
}

interface Task {
  readonly entry: RawEntry;
  readonly known: KnownKey;
  readonly dialect: Dialect;
  readonly references: References;
  readonly sink: Sink;
}

function emptySink(): Sink {
  return { values: new Map(), warnings: [], problems: [] };
}

function readEntry({ entry, known, dialect, references, sink }: Task): void {
  const { line } = entry;
  const resolved = resolveValue(known, entry.value, references);
  const name = `${entry.section}.${entry.key}`;
  sink.warnings.push(...resolved.warnings.map((text) => ({ line, text: `${name}: ${text}` })));
  if (resolved.problems.length > 0) {
    sink.problems.push(...resolved.problems.map((text) => ({ line, text: `${name}: ${text}` })));
    return;
  }
  const read = check(known, resolved.value);
  if (!read.ok) {
    const text = `${name}: ${wrong(known, resolved.value, resolved.secret)}`;
    sink.problems.push({ line, text });
    return;
  }
  sink.values.set(known.path, { value: read.value, line, secret: resolved.secret });
  const noted = remarkWord(known, resolved, dialect);
  if (noted !== null) sink.warnings.push({ line, text: `${name}: ${noted}` });
}

interface ResolvedValue {
  readonly value: RawValue;
  readonly secret: boolean;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

function resolveValue(known: KnownKey, value: RawValue, references: References): ResolvedValue {
  if (value.kind !== "text" && value.kind !== "list") {
    return { value, secret: known.secret, warnings: [], problems: [] };
  }
  const texts = value.kind === "text" ? [value.text] : value.items;
  const resolved = texts.map((text) => resolveText(known, text, references));
  const items = resolved.map((each) => each.text);
  return {
    value: value.kind === "text" ? textValue(items[0] ?? "", value.quoted) : { kind: "list", items },
    secret: resolved.some((each) => each.secret) || known.secret,
    warnings: resolved.flatMap((each) => each.warnings),
    problems: resolved.flatMap((each) => each.problem ?? []),
  };
}

type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

function check(known: KnownKey, raw: RawValue): Checked {
  const reading = readValue(known.kind, raw);
  if (reading.outcome === "default") return { ok: true, value: known.fallback };
  if (reading.outcome === "wrong") return { ok: false };
  const parsed = known.schema.safeParse(reading.value);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false };
}

function wrong(known: KnownKey, raw: RawValue, secret: boolean): string {
  return `expected ${known.expected}, got ${secret ? "a value that is not shown" : shown(raw)}`;
}

function shown(raw: RawValue): string {
  switch (raw.kind) {
    case "mapping":
      return "a mapping";
    case "nothing":
      return "nothing";
    case "list":
      return JSON.stringify(raw.items.join(",").slice(0, LONGEST_SHOWN));
    case "text": {
      const comment = /\s[#;]/.test(raw.text) ? "; a comment needs a line of its own" : "";
      return `${JSON.stringify(raw.text.slice(0, LONGEST_SHOWN))}${comment}`;
    }
  }
}

// Enough to recognise a value; a log line stays a line.
const LONGEST_SHOWN = 80;

function remarkWord(known: KnownKey, { value }: ResolvedValue, dialect: Dialect): string | null {
  if (value.kind !== "text") return null;
  if (known.kind === "flag") {
    const others = meansFalse(value.text) ? readAsTrueBy(dialect, value.text, value.quoted) : null;
    return others && `"${value.text.trim()}" means no here, but ${others} read it as yes`;
  }
  const isList = known.kind === "numbers" || known.kind === "texts";
  if (value.text.trim() !== "" || isList || known.fallback === null) return null;
  return `the value is empty; the default ${String(known.fallback)} holds`;
}
