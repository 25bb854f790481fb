// Patterns for labels are Python regular expressions in every configuration there has ever been: says the same in JavaScript.

/** A pattern that cannot be used, in words for whoever wrote it. */
export interface PatternFault {
  readonly fault: string;
}

/** Beyond this nobody wrote it by hand. */
const LONGEST_PATTERN = 2_000;
/**
 * Some patterns take exponential time (`(a+)+$`): what they are held against is kept short. Longer than any label, plate
 * or name; the rest of a longer one is not looked at.
 */
const LONGEST_LABEL = 100;

/**
 * The same expression for JavaScript, or what is wrong with it. To be used with `matchesAtStart`, which does what Python's
 * re.match does. Not available: conditions `(?(1)...)`, atomic groups and possessive quantifiers, `\N{...}`. Never throws.
 */
export function translatePattern(pattern: string): RegExp | PatternFault {
  if (pattern.length > LONGEST_PATTERN) return { fault: `it is longer than ${LONGEST_PATTERN} characters` };
  try {
    const { source, flags } = translated(pattern);
    // v: the only mode where classes can hold classes, and where nothing odd is taken for a literal. y: at the start.
    return new RegExp(source, `vy${flags}`);
  } catch (problem) {
    return { fault: problem instanceof Unusable ? problem.message : "it is not a regular expression" };
  }
}

/** Python's re.match: the pattern must match at the beginning, not to the end. */
export function matchesAtStart(pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(text.slice(0, LONGEST_LABEL));
}

class Unusable extends Error {}

interface Scanner {
  readonly text: string;
  at: number;
  /** Python's flags that change how the rest is read. */
  isVerbose: boolean;
  isMultiline: boolean;
}

/** Python's \w and \d know all scripts, JavaScript's only ASCII. */
const WORD = "\\p{L}\\p{N}_";
const SHORTHANDS: Readonly<Record<string, string>> = {
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  s: "\\s",
  S: "\\S",
};
const CONTROLS: Readonly<Record<string, string>> = {
  a: "\\x07",
  f: "\\f",
  n: "\\n",
  r: "\\r",
  t: "\\t",
  v: "\\v",
};
const END = "(?![\\s\\S])";
const START = "(?<![\\s\\S])";

function translated(text: string): { readonly source: string; readonly flags: string } {
  const letters = globalFlags(text);
  const scanner = {
    text,
    at: 0,
    isVerbose: letters.includes("x"),
    isMultiline: letters.includes("m"),
  };
  let source = "";
  while (scanner.at < text.length) source += nextPart(scanner);
  const flags = ["i", "m", "s"].filter((flag) => letters.includes(flag)).join("");
  return { source, flags };
}

/** `(?im)` counts for the whole pattern; Python wants it at the start (an error elsewhere since 3.11). */
function globalFlags(text: string): string {
  return /^\s*\(\?([aiLmsux]+)\)/.exec(text)?.[1] ?? "";
}

function nextPart(scanner: Scanner): string {
  const { text, at } = scanner;
  const sign = text[at] ?? "";
  switch (sign) {
    case "\\":
      return escaped(scanner);
    case "[":
      return characterClass(scanner);
    case "(":
      return group(scanner);
    case "{":
      return braces(scanner);
    case "^":
      return taken(scanner, 1, scanner.isMultiline ? "^" : START);
    case "$":
      // Python's $ also matches before a line feed at the very end.
      return taken(scanner, 1, scanner.isMultiline ? "$" : `(?=\\n?${END})`);
    case "]":
    case "}":
      return taken(scanner, 1, `\\${sign}`);
    case "*":
    case "+":
    case "?":
      return repetition(scanner, sign);
    default:
      return scanner.isVerbose ? verbose(scanner, sign) : taken(scanner, 1, sign);
  }
}

function taken(scanner: Scanner, length: number, part: string): string {
  scanner.at += length;
  return part;
}

/** With (?x), blanks and comments only serve the reader. */
function verbose(scanner: Scanner, sign: string): string {
  if (/\s/.test(sign)) return taken(scanner, 1, "");
  if (sign !== "#") return taken(scanner, 1, sign);
  const end = scanner.text.indexOf("\n", scanner.at);
  return taken(scanner, (end < 0 ? scanner.text.length : end) - scanner.at, "");
}

function repetition(scanner: Scanner, sign: string): string {
  const after = scanner.text[scanner.at + 1];
  if (after === "+") throw new Unusable(`possessive "${sign}+" is not supported; leave out its "+"`);
  return after === "?" ? taken(scanner, 2, `${sign}?`) : taken(scanner, 1, sign);
}

/** A brace that is no repetition is an ordinary character in Python. */
function braces(scanner: Scanner): string {
  const found = /^\{(\d*)(,?)(\d*)\}(\+|\?)?/.exec(scanner.text.slice(scanner.at));
  const [whole = "", least = "", comma = "", most = "", mode = ""] = found ?? [];
  if (found === null || least + comma + most === "") return taken(scanner, 1, "\\{");
  if (mode === "+") throw new Unusable(`possessive "${whole}" is not supported; leave out its last "+"`);
  return taken(scanner, whole.length, `{${least === "" ? "0" : least}${comma}${most}}${mode}`);
}

function group(scanner: Scanner): string {
  const rest = scanner.text.slice(scanner.at, scanner.at + 200);
  const named = /^\(\?P<([^>]*)>/.exec(rest);
  if (named !== null) return taken(scanner, named[0].length, `(?<${identifier(named[1])}>`);
  const back = /^\(\?P=([^)]*)\)/.exec(rest);
  if (back !== null) return taken(scanner, back[0].length, `\\k<${identifier(back[1])}>`);
  if (rest.startsWith("(?#")) return comment(scanner);
  if (rest.startsWith("(?(")) throw new Unusable("conditions, (?(1)...), are not supported");
  if (rest.startsWith("(?>")) throw new Unusable("atomic groups, (?>...), are not supported; use (?:...)");
  const flags = /^\(\?([aiLmsux]+)\)/.exec(rest);
  if (flags !== null) {
    if (scanner.text.slice(0, scanner.at).trim() !== "")
      throw new Unusable(`${flags[0]} must stand at the beginning`);
    return taken(scanner, flags[0].length, "");
  }
  const scoped = /^\(\?([aiLmsux]*)(?:-([imsx]+))?:/.exec(rest);
  if (scoped !== null) return taken(scanner, scoped[0].length, scopedGroup(scoped[1] ?? "", scoped[2] ?? ""));
  const open = /^\((?:\?(?:=|!|<=|<!))?/.exec(rest)?.[0] ?? "(";
  if (open === "(" && rest[1] === "?") throw new Unusable(`"${rest.slice(0, 4)}" is not known`);
  return taken(scanner, open.length, open);
}

function scopedGroup(on: string, off: string): string {
  // a, u and L choose an alphabet: text patterns have only one.
  if (`${on}${off}`.includes("x")) throw new Unusable("x inside of a group, (?x:...), is not supported");
  const added = [...new Set(on.replace(/[auL]/g, ""))].join("");
  return `(?${added}${off === "" ? "" : `-${off}`}:`;
}

function identifier(name = ""): string {
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw new Unusable(`"${name}" cannot be the name of a group`);
  return name;
}

function comment(scanner: Scanner): string {
  const end = scanner.text.indexOf(")", scanner.at);
  if (end < 0) throw new Unusable("the comment (?#... is not closed");
  return taken(scanner, end + 1 - scanner.at, "");
}

/** A backslash outside of a class. */
function escaped(scanner: Scanner): string {
  const sign = scanner.text[scanner.at + 1];
  if (sign === "A") return taken(scanner, 2, START);
  if (sign === "Z" || sign === "z") return taken(scanner, 2, END);
  if (sign === "b") return taken(scanner, 2, `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`);
  if (sign === "B") return taken(scanner, 2, `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`);
  const shorthand = SHORTHANDS[sign ?? ""];
  if (shorthand !== undefined) return taken(scanner, 2, shorthand);
  const back = /^\\([1-9]\d?)(?!\d)/.exec(scanner.text.slice(scanner.at, scanner.at + 5));
  // Closed with an empty group, so that a digit after it stays a digit.
  if (back !== null) return taken(scanner, back[0].length, `\\${back[1]}(?:)`);
  return escapedCharacter(scanner);
}

/** What stands for one character, inside or outside of a class. */
function escapedCharacter(scanner: Scanner): string {
  const rest = scanner.text.slice(scanner.at, scanner.at + 10);
  const sign = rest[1];
  if (sign === undefined) throw new Unusable("it ends with a backslash");
  const control = CONTROLS[sign];
  if (control !== undefined) return taken(scanner, 2, control);
  const code = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(rest);
  if (code !== null)
    return taken(
      scanner,
      code[0].length,
      codePoint(Number.parseInt(code[1] ?? code[2] ?? code[3] ?? "", 16)),
    );
  const octal = /^\\(0[0-7]{0,2}|[0-3][0-7]{2})/.exec(rest);
  if (octal !== null) return taken(scanner, octal[0].length, codePoint(Number.parseInt(octal[1] ?? "0", 8)));
  if (/[a-zA-Z0-9]/.test(sign)) throw new Unusable(`"\\${sign}" is not known`);
  const character = String.fromCodePoint(scanner.text.codePointAt(scanner.at + 1) ?? 0);
  return taken(scanner, 1 + character.length, literal(character));
}

function codePoint(value: number): string {
  if (value > 0x10ffff) throw new Unusable(`there is no character ${value.toString(16)}`);
  return `\\u{${value.toString(16)}}`;
}

/** Mode v reserves most signs, some of them only doubled; a backslash before each is always right. */
function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character)
    ? `\\${character}`
    : /[!-/:-@[-`{-~]/.test(character)
      ? hex(character)
      : character;
}

function hex(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function characterClass(scanner: Scanner): string {
  const { text } = scanner;
  const start = scanner.at;
  scanner.at += 1;
  let source = "[";
  if (text[scanner.at] === "^") source += taken(scanner, 1, "^");
  // Directly after the bracket, "]" is an ordinary character.
  let isFirst = true;
  while (isFirst || text[scanner.at] !== "]") {
    if (scanner.at >= text.length)
      throw new Unusable(`the class "${text.slice(start, start + 20)}" is not closed`);
    const low = classMember(scanner);
    isFirst = false;
    const isRange =
      text[scanner.at] === "-" && text[scanner.at + 1] !== undefined && text[scanner.at + 1] !== "]";
    if (!isRange) {
      source += low;
      continue;
    }
    scanner.at += 1;
    source += `${low}-${classMember(scanner)}`;
  }
  scanner.at += 1;
  return `${source}]`;
}

function classMember(scanner: Scanner): string {
  const { text, at } = scanner;
  if (text[at] !== "\\") {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    return taken(scanner, character.length, literal(character));
  }
  const sign = text[at + 1] ?? "";
  if (sign === "b") return taken(scanner, 2, "\\x08");
  return SHORTHANDS[sign] === undefined ? escapedCharacter(scanner) : taken(scanner, 2, SHORTHANDS[sign]);
}
