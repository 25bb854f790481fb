// Reads a configuration file in YAML, keeping line numbers.
import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type Scalar,
} from "yaml";
import {
  printableName,
  type RawEntry,
  type RawFile,
  type RawValue,
  type Remark,
  textValue,
} from "./raw-file.ts";

/**
 * Two levels: sections with keys. Plain values keep the text that was typed, so that a password 0123 stays one.
 * An unquoted !NAME, which YAML takes for a tag, means the same as "!NAME". Never throws.
 */
export function readYaml(text: string): RawFile {
  const source = text.replace(/^\uFEFF/, "");
  try {
    return readDocument(source);
  } catch {
    // The parser throws on a few contrived inputs, such as nesting beyond the stack.
    const problem = { line: 1, text: "this is not YAML that can be read" };
    return { entries: [], sections: new Map(), warnings: [], problems: [problem], complete: false };
  }
}

function readDocument(source: string): RawFile {
  const { document, lines, problems, complete } = parseYaml(source);
  const file: Sink = { entries: [], sections: new Map(), problems: [...problems] };
  if (complete) readSections({ document, lines, file });
  return { ...file, warnings: [], complete };
}

/** A document of YAML with its mistakes in our words. */
export interface ParsedYaml {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly problems: readonly Remark[];
  /** A doubled key leaves the rest readable, so that its other mistakes are told as well. */
  readonly complete: boolean;
}

/** Parses the text. May throw on a few contrived inputs. */
export function parseYaml(source: string): ParsedYaml {
  const lines = new LineCounter();
  // "error" rather than "silent": only then a second document in the file is reported.
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const problems = document.errors.map((error) => {
    const at = error.code === "DUPLICATE_KEY" ? keyAfter(source, error.pos[0]) : error.pos[0];
    return { line: lines.linePos(at).line, text: inOurWords(error.code, source.slice(at)) };
  });
  const complete = document.errors.every((error) => error.code === "DUPLICATE_KEY");
  return { document, lines, problems, complete };
}

interface Sink {
  readonly entries: RawEntry[];
  readonly sections: Map<string, number>;
  readonly problems: Remark[];
}

interface Reading {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly file: Sink;
}

function readSections(reading: Reading): void {
  const { file } = reading;
  const root = reading.document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return;
  if (!isMap(root)) {
    file.problems.push({ line: lineOf(reading, root), text: 'expected sections such as "network:"' });
    return;
  }
  for (const pair of root.items) {
    const section = nameOf(pair.key);
    const line = lineOf(reading, pair.key);
    const value = followAlias(reading, pair.value);
    if (!file.sections.has(section)) file.sections.set(section, line);
    if (isMap(value)) readKeys(reading, section, value.items);
    else if (!isEmpty(value)) {
      file.problems.push({ line, text: `${printableName(section)}: expected keys with values below it` });
    }
  }
}

function readKeys(
  reading: Reading,
  section: string,
  pairs: readonly { key: unknown; value: unknown }[],
): void {
  const seen = new Set<string>();
  for (const pair of pairs) {
    const key = nameOf(pair.key);
    if (seen.has(key)) continue;
    seen.add(key);
    const value = readValue(reading, followAlias(reading, pair.value));
    reading.file.entries.push({ section, key, value, line: lineOf(reading, pair.key) });
  }
}

function readValue(reading: Reading, node: unknown): RawValue {
  if (isScalar(node)) {
    const text = textOf(node);
    return text === null ? { kind: "nothing" } : textValue(text, node.type !== "PLAIN");
  }
  if (isSeq(node)) {
    const items = node.items.map((item) => followAlias(reading, item));
    if (items.every((item) => isScalar(item))) {
      return { kind: "list", items: items.map((item) => (isScalar(item) ? (textOf(item) ?? "") : "")) };
    }
  }
  return isEmpty(node) ? { kind: "nothing" } : { kind: "mapping" };
}

/** The text as typed; null for an empty value, `~` and `null`. */
export function textOf(node: Scalar): string | null {
  if (node.tag?.startsWith("!")) return [node.tag, String(node.value ?? "")].join(" ").trim();
  if (node.value === null) return null;
  return node.type === "PLAIN" ? (node.source ?? String(node.value)) : String(node.value);
}

function isEmpty(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && textOf(node) === null);
}

function followAlias(reading: Reading, node: unknown): unknown {
  return isAlias(node) ? node.resolve(reading.document) : node;
}

function nameOf(key: unknown): string {
  return isScalar(key) ? (textOf(key) ?? "") : "";
}

function lineOf(reading: Reading, node: unknown): number {
  const range = isNode(node) ? (node as ParsedNode).range : null;
  return reading.lines.linePos(range?.[0] ?? 0).line;
}

/** The parser may point at the end of the value before a doubled key; this is where the key itself begins. */
function keyAfter(source: string, position: number): number {
  return position + (/^(?:\s|#[^\n]*\n)*/.exec(source.slice(position))?.[0].length ?? 0);
}

// The parser's own messages quote the source, and the source may be a password.
function inOurWords(code: ErrorCode, at: string): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return `${/^[\w-]{1,64}/.exec(at)?.[0] ?? "a key"} is given twice; keep one of them`;
    case "TAB_AS_INDENT":
      return "a tab cannot indent in YAML; use blanks";
    case "BAD_INDENT":
      return "the indentation does not fit the lines around it, or a bracket is not closed";
    case "BAD_SCALAR_START":
      return "a value beginning with this character needs quotes";
    case "UNEXPECTED_TOKEN":
      return "something follows that does not belong here; a value with special characters, such as {{name}}, needs quotes";
    case "BLOCK_AS_IMPLICIT_KEY":
      return "two colons in one line; a value with a colon and a blank needs quotes";
    case "MULTILINE_IMPLICIT_KEY":
      return "a blank is missing after a colon, or the colon itself";
    case "MISSING_CHAR":
      return "something is missing here, such as a closing quote or the blank after a colon";
    case "BAD_DQ_ESCAPE":
      return 'a backslash inside "double quotes" needs a second one; or use single quotes';
    case "MULTIPLE_DOCS":
      return "a second document begins here (---); the file must be one";
    default:
      return "this is not YAML";
  }
}
