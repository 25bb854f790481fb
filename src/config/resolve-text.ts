// Puts secrets and templates into the text of a value: !NAME, ${name}, {{name}}.
import type { RawFile } from "./raw-file.ts";
import { type KeyPath, type KnownKey, knownKeys } from "./schema.ts";
import type { Secrets } from "./secrets.ts";

export interface Resolved {
  readonly text: string;
  /** True when part of the text must not be shown. */
  readonly secret: boolean;
  readonly warnings: readonly string[];
  /** Why there is no text; it then is empty. */
  readonly problem: string | null;
}

/** What values may refer to. */
export interface References {
  readonly file: RawFile;
  readonly secrets: Secrets | null;
  /** Version 3.2 knew no secrets: there a leading "!" is part of the value unless a secrets file is named. */
  readonly bangIsLiteral: boolean;
}

/** The text with its references replaced, in the order of the original: first the secret, then templates. */
export function resolveText(known: KnownKey, written: string, references: References): Resolved {
  const found = resolveSecret(known, written.trim(), references);
  if (found.problem !== null) return found;
  const warnings = [...found.warnings];
  let secret = found.secret;
  const text = found.text.replace(TEMPLATE, (all, dollar: string | undefined, braces: string | undefined) => {
    const name = dollar ?? braces ?? "";
    const value = referred(name, known.section, references);
    if (value === null) {
      // The name may be a piece of a password that happens to look like a template.
      warnings.push(`${secret ? "a template" : all} names no key; it is left as it is`);
      return all;
    }
    secret ||= value.secret;
    return value.text;
  });
  return { text, secret, warnings, problem: null };
}

const TEMPLATE = /\$\{(\w{1,64})\}|\{\{\s{0,8}(\w{1,64})\s{0,8}\}\}/g;

function resolveSecret(known: KnownKey, text: string, references: References): Resolved {
  const plain = { text, secret: known.secret, warnings: [], problem: null };
  if (!text.startsWith("!") || text === "!") return plain;
  if (references.secrets === null) {
    if (references.bangIsLiteral) return { ...plain, warnings: [LITERAL_BANG] };
    return unresolved(
      "it names a secret (a value beginning with !), but general.secrets names no file: set it, or write the value itself here",
    );
  }
  const name = text.slice(1).trim();
  const lookup = references.secrets.lookUp(name);
  if (!lookup.found) return unresolved(`the secret ${secretName(known, name)} cannot be used: ${lookup.why}`);
  const warnings = lookup.otherCase
    ? [`the secret ${secretName(known, name)} is written with other capitals in ${references.secrets.path}`]
    : [];
  return { text: lookup.value, secret: true, warnings, problem: null };
}

const LITERAL_BANG =
  "the value begins with ! and is taken as it is, because general.secrets names no file to look it up in";

function unresolved(problem: string): Resolved {
  return { text: "", secret: true, warnings: [], problem };
}

/** A password that begins with "!" is easily taken for the name of a secret: only a usual name is shown. */
function secretName(known: KnownKey, name: string): string {
  const usual = known.secret ? /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/ : /^\w{1,64}$/;
  return usual.test(name) ? name : "it names";
}

/** The value of `general.name`, else of `name` in the same section; null when there is no such key. */
function referred(name: string, section: string, references: References) {
  for (const home of ["general", section]) {
    const value = lookInto(home, name, references);
    if (value !== null) return value;
  }
  return null;
}

function lookInto(section: string, key: string, references: References) {
  const path: KeyPath = `${section}.${key}`;
  const known = knownKeys.get(path);
  const entry = references.file.entries.find((each) => each.section === section && each.key === key);
  if (entry?.value.kind === "text") {
    const { text } = entry.value;
    if (known) {
      const { problem, ...value } = resolveSecret(known, text.trim(), references);
      return problem === null ? value : null;
    }
    return { text, secret: text.startsWith("!") };
  }
  if (!known || known.fallback === null || typeof known.fallback === "object") return null;
  return { text: String(known.fallback), secret: known.secret };
}
