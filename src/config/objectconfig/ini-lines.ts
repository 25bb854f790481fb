// The INI dialect of objectconfig.ini: that of Python's configparser, without interpolation, "#" beginning comments in lines.
import type { Remark } from "../raw-file.ts";

export interface IniValue {
  readonly key: string;
  /** Of the key. */
  readonly line: number;
  /** Without comments; several lines are joined by line feeds. */
  readonly text: string;
  /** With comments behind values, every line as it is: what Python literals are read from. */
  readonly raw: string;
  /** In `line`, where `raw` begins, from 1. */
  readonly column: number;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly values: readonly IniValue[];
}

export interface IniLines {
  readonly sections: readonly IniSection[];
  readonly warnings: readonly Remark[];
  readonly problems: readonly Remark[];
}

/**
 * Keys are lower case. A value goes on in the lines that are indented further than its key, and, unlike in Python, in those
 * that begin with a bracket or a quote. Of what is given twice, the first counts. Never throws.
 */
export function readIniLines(text: string): IniLines {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const state: State = { sections: new Map(), warnings: [], problems: [], current: null, open: null };
  for (const [index, content] of lines.entries()) readLine(state, content, index + 1);
  return {
    sections: [...state.sections.values()].map(({ name, line, values }) => ({
      name,
      line,
      values: [...values.values()].map(finished),
    })),
    warnings: state.warnings,
    problems: state.problems,
  };
}

interface Begun {
  readonly key: string;
  readonly line: number;
  readonly column: number;
  readonly indent: number;
  /** Of the value, those that hold nothing but a comment empty. */
  readonly raw: string[];
}

interface OpenSection {
  readonly name: string;
  readonly line: number;
  readonly values: Map<string, Begun>;
}

interface State {
  /** By name, the one that was opened last at the end. */
  readonly sections: Map<string, OpenSection>;
  readonly warnings: Remark[];
  readonly problems: Remark[];
  /** Where keys go now. */
  current: OpenSection | null;
  open: Begun | null;
}

function readLine(state: State, content: string, line: number): void {
  const isComment = /^\s*[#;]/.test(content);
  if (isComment || content.trim() === "") {
    state.open?.raw.push("");
    return;
  }
  const indent = content.search(/\S/);
  if (
    state.open !== null &&
    (indent > state.open.indent || (/^\s*[{}[\]()'"]/.test(content) && !isHeader(content)))
  ) {
    state.open.raw.push(content);
    return;
  }
  state.open = null;
  const header = /^\s*\[(.+)\]$/.exec(withoutComment(content));
  if (header !== null) openSection(state, (header[1] ?? "").trim(), line);
  else readKey(state, content, indent, line);
}

function isHeader(content: string): boolean {
  return /^\[[\w -]+\]$/.test(withoutComment(content).trim());
}

function openSection(state: State, name: string, line: number): void {
  const section = state.sections.get(name) ?? { name, line, values: new Map() };
  state.sections.delete(name);
  state.sections.set(name, section);
  state.current = section;
}

function readKey(state: State, content: string, indent: number, line: number): void {
  const end = content.search(/[=:]/);
  const key = content.slice(0, Math.max(end, 0)).trim().toLowerCase();
  const section = state.current;
  if (key === "") {
    state.problems.push({ line, text: "expected [section] or key = value; a comment begins with #" });
    return;
  }
  if (section === null) {
    state.problems.push({ line, text: "a key stands before the first [section]" });
    return;
  }
  const rest = content.slice(end + 1);
  const column = end + 2 + Math.max(0, rest.search(/\S/));
  const begun = { key, line, column, indent, raw: [rest.trimStart()] };
  const first = section.values.get(key);
  if (first === undefined) section.values.set(key, begun);
  else {
    const text = `${nameOf(key)} is given again; the first one, in line ${first.line}, counts`;
    state.warnings.push({ line, text });
  }
  state.open = begun;
}

/** A line that went wrong may hold a secret. */
function nameOf(key: string): string {
  return /^[\w.-]{1,64}$/.test(key) ? key : "(unreadable name)";
}

function finished({ key, line, column, raw }: Begun): IniValue {
  const lines = raw.map((content) => withoutComment(content).trim());
  const text = lines.join("\n").trim();
  return { key, line, column, text, raw: raw.join("\n").trimEnd() };
}

/** "#" begins a comment at the start and after a blank, as configparser has it. */
function withoutComment(content: string): string {
  return content.replace(/(^|\s)#.*$/, "$1").trimEnd();
}
