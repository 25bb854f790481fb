// Reads the INI dialect of the old configuration files (Perl's Config::IniFiles), keeping line numbers.
import { printableName, type RawEntry, type RawFile, type Remark, textValue } from "./raw-file.ts";

/**
 * Case matters in names. A comment stands on a line of its own; what follows a value is part of it, and so are
 * quotes. Of a key that is given twice the first one counts: the file shipped with 3.2 lacks its [mqtt] header,
 * and its second `enable` must not switch push off. Never throws.
 */
export function readIni(text: string): RawFile {
  const state = emptyState(text);
  while (state.next < state.lines.length) readLine(state);
  return {
    entries: [...state.entries.values()],
    sections: state.sections,
    warnings: state.warnings,
    problems: state.problems,
    complete: true,
  };
}

interface State {
  readonly lines: readonly string[];
  next: number;
  section: string | null;
  readonly entries: Map<string, RawEntry>;
  readonly sections: Map<string, number>;
  readonly warnings: Remark[];
  readonly problems: Remark[];
}

function emptyState(text: string): State {
  return {
    lines: text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/),
    next: 0,
    section: null,
    entries: new Map(),
    sections: new Map(),
    warnings: [],
    problems: [],
  };
}

function readLine(state: State): void {
  const line = state.next + 1;
  const content = (state.lines[state.next] ?? "").trim();
  state.next += 1;
  if (content === "" || content.startsWith("#") || content.startsWith(";")) return;
  if (content.startsWith("[") && content.endsWith("]")) {
    state.section = content.slice(1, -1).trim();
    if (!state.sections.has(state.section)) state.sections.set(state.section, line);
    return;
  }
  const equals = content.indexOf("=");
  const key = content.slice(0, Math.max(equals, 0)).trim();
  if (key === "") {
    state.problems.push({ line, text: "expected [section] or key = value; a comment begins with #" });
  } else {
    const written = content.slice(equals + 1).trim();
    keep(state, key, written.startsWith("<<") ? hereDocument(state, written, line) : written, line);
  }
}

function keep(state: State, key: string, value: string, line: number): void {
  const { section } = state;
  if (section === null) {
    state.problems.push({ line, text: `${printableName(key)} stands before the first [section]` });
    return;
  }
  // NUL cannot be typed into a name, so two names never run together.
  const id = `${section}\0${key}`;
  const first = state.entries.get(id);
  if (!first) {
    state.entries.set(id, { section, key, value: textValue(value), line });
    return;
  }
  const name = `${printableName(section)}.${printableName(key)}`;
  state.warnings.push({ line, text: `${name} is given again; the first one, in line ${first.line}, counts` });
}

/** `key = <<END`, the lines of the value, then END alone on a line. */
function hereDocument(state: State, written: string, line: number): string {
  const end = written.slice(2).trim();
  const from = state.next;
  const found = state.lines.findIndex((content, index) => index >= from && content.trim() === end);
  if (end === "" || found === -1) {
    state.problems.push({ line, text: "the value begins with << but the line that ends it is missing" });
    return "";
  }
  state.next = found + 1;
  return state.lines.slice(from, found).join("\n");
}
