// Compiles cause_has: a regular expression of an operator, written for Perl, that must never stop the program.
import { createContext, Script } from "node:vm";
import type { CausePattern } from "../domain/rules.ts";

export type ReadPattern =
  | { readonly ok: true; readonly pattern: CausePattern }
  | { readonly ok: false; readonly text: string };

/** Case never matters. `onTooSlow` is called once, when a search was given up for the first time. */
export function readPattern(source: string, onTooSlow?: () => void): ReadPattern {
  // Case is ignored anyway, and this is how Perl says so.
  const text = source.replace(/^\(\?i\)/, "");
  if (text.length > LONGEST_PATTERN)
    return { ok: false, text: `it is longer than ${LONGEST_PATTERN} characters` };
  const foreign = foreignIn(text);
  if (foreign !== null) return { ok: false, text: `${foreign.what} is Perl's alone; ${foreign.instead}` };
  const expression = compile(text);
  if (typeof expression === "string") return { ok: false, text: expression };
  const search = canBeSlow(text) ? guarded(expression, onTooSlow) : direct(expression);
  return { ok: true, pattern: { source, search } };
}

/** Longer ones are a mistake; checking this one costs time too. */
const LONGEST_PATTERN = 1_000;
/** Causes are short; a hook may print anything. What a person would read is in the first part. */
const LONGEST_CAUSE = 1_000;
/** What people write takes microseconds. On a busy machine another process may take the core for tens of ms. */
const PATIENCE_MS = 100;
/** Then the pattern is left alone until the rules are read again: cameras must not be stopped time after time. */
const CHANCES = 3;

interface Foreign {
  readonly sign: RegExp;
  readonly what: string;
  readonly instead: string;
}

/** What means something else here, or nothing, and would be taken without a word. */
const FOREIGN_ESCAPES: readonly Foreign[] = [
  { sign: /\\A/, what: "\\A", instead: "write ^" },
  { sign: /\\[zZ]/, what: "\\z", instead: "write $" },
  { sign: /\\[QE]/, what: "\\Q...\\E", instead: "put a backslash before each special character" },
  {
    sign: /\\[hHRXGKNgCae]/,
    what: "such a sequence",
    instead: "write \\s for a blank, or the character itself",
  },
];
const FOREIGN_GROUPS: readonly Foreign[] = [
  { sign: /\(\?>/, what: "(?>...)", instead: "write (?:...)" },
  { sign: /\(\?#/, what: "(?#...)", instead: "use the key comment" },
  { sign: /\(\?P/, what: "(?P...)", instead: "write (?<name>...)" },
  { sign: /\(\?[|R&\d(]|\(\*/, what: "this kind of group", instead: "write it with ordinary groups" },
  { sign: /\(\?[imsx-]+\)/, what: "a switch for all that follows", instead: "write (?i:...)" },
  {
    sign: /\(\?(\^|[a-z-]*[^imsx:)(<=!-][a-z-]*[:)]|[ims-]*x)/,
    what: "this switch",
    instead: "only i, m and s are known",
  },
];

function foreignIn(text: string): Foreign | null {
  const escapes = text.match(/\\[\s\S]/g) ?? [];
  const sequence = FOREIGN_ESCAPES.find(({ sign }) => escapes.some((each) => sign.test(each)));
  if (sequence) return sequence;
  if (/\[\[:\^?\w+:\]/.test(text))
    return { sign: /./, what: "[[:name:]]", instead: "write \\w, \\d, \\s or the characters" };
  const groups = text.replace(/\\[\s\S]/g, "").replace(/\[[^\]]*\]/g, "");
  return FOREIGN_GROUPS.find(({ sign }) => sign.test(groups)) ?? null;
}

/** With the rules of Unicode; without them for what is harmless and only they refuse, such as "\\-" or "\\:". */
function compile(text: string): RegExp | string {
  try {
    return new RegExp(text, "iu");
  } catch {
    try {
      return new RegExp(text, "i");
    } catch (failure) {
      const words = failure instanceof Error ? failure.message : "";
      return `this is not a regular expression: ${words.slice(words.lastIndexOf(": ") + 2).toLowerCase() || "unknown reason"}`;
    }
  }
}

/** One repetition of a plain thing is quadratic at worst; several of them, or one of a choice, can take for ever. */
function canBeSlow(text: string): boolean {
  const repetitions =
    text
      .replace(/\\./g, "a")
      .replace(/\(\?/g, "(")
      .match(/[*+?{]/g)?.length ?? 0;
  return repetitions > 1 || (repetitions === 1 && text.includes("|"));
}

function direct(expression: RegExp): CausePattern["search"] {
  return (cause) => (expression.test(cause.slice(0, LONGEST_CAUSE)) ? "found" : "not-found");
}

/** Only a script in node:vm can be interrupted while it searches; that costs about 0.1 ms. */
function guarded(expression: RegExp, onTooSlow?: () => void): CausePattern["search"] {
  const context = createContext({ expression, cause: "" });
  const script = new Script("expression.test(cause)");
  let failures = 0;
  return (cause) => {
    if (failures >= CHANCES) return "too-slow";
    context.cause = cause.slice(0, LONGEST_CAUSE);
    try {
      return script.runInContext(context, { timeout: PATIENCE_MS }) === true ? "found" : "not-found";
    } catch {
      failures += 1;
      if (failures === 1) onTooSlow?.();
      return "too-slow";
    }
  };
}
