// The secrets file: values that the configuration names as !NAME.
import { dirname, resolve } from "node:path";
import { parseConfigFile, readTextFile } from "./config-file.ts";
import type { RawFile } from "./raw-file.ts";

/** What became of looking a secret up. Nothing in here that is printed ever holds a value. */
type Lookup =
  | { readonly found: true; readonly value: string; readonly otherCase: boolean }
  | { readonly found: false; readonly why: string };

export interface Secrets {
  /** Absolute path of the file. */
  readonly path: string;
  /** Why the file cannot be read at all, or null. */
  readonly unreadable: string | null;
  /** What is to be said about lines of the file, each with its place. */
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
  lookUp(name: string): Lookup;
}

/** Reads the secrets file; a relative path counts from the folder of the configuration file. */
export function readSecrets(
  named: string,
  configPath: string,
  locate = (file: string): string => file,
): Secrets {
  const path = locate(resolve(dirname(configPath), named));
  const content = readTextFile(path, { mayBePipe: false });
  if (!content.ok) {
    const unreadable = `cannot read ${path}: ${content.why}`;
    const lookUp = () => missing(`${path} cannot be read`);
    return { path, unreadable, warnings: [], problems: [], lookUp };
  }
  const file = parseConfigFile(path, content.text);
  const secrets = secretsIn(file);
  return {
    path,
    unreadable: null,
    warnings: file.warnings.map((remark) => `${path}:${remark.line} ${remark.text}`),
    problems: problemsOf(path, file),
    lookUp: (name) => lookUp(path, secrets, name),
  };
}

function problemsOf(path: string, file: RawFile): string[] {
  const problems = file.problems.map((remark) => `${path}:${remark.line} ${remark.text}`);
  if (file.complete && !file.sections.has("secrets")) {
    problems.push(`${path}: expected a section called secrets with the secrets in it`);
  }
  return problems;
}

function secretsIn(file: RawFile): ReadonlyMap<string, string> {
  const secrets = new Map<string, string>();
  for (const { section, key, value } of file.entries) {
    if (section === "secrets" && value.kind === "text") secrets.set(key, value.text);
  }
  return secrets;
}

function lookUp(path: string, secrets: ReadonlyMap<string, string>, name: string): Lookup {
  const exact = secrets.get(name);
  if (exact !== undefined) return exact.trim() === "" ? missing(`it is empty in ${path}`) : hit(exact, false);
  const wanted = name.toLowerCase();
  const other = [...secrets].find(([key]) => key.toLowerCase() === wanted)?.[1];
  if (other === undefined) return missing(`it is not in ${path}`);
  return other.trim() === "" ? missing(`it is empty in ${path}`) : hit(other, true);
}

function hit(value: string, otherCase: boolean): Lookup {
  return { found: true, value: value.trim(), otherCase };
}

function missing(why: string): Lookup {
  return { found: false, why };
}
