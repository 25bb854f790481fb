// Reads the command line of `zmes models`; what belongs to every command is left over.

export interface ModelsOptions {
  readonly verb: "list" | "add" | "check" | "remove";
  /** Files, addresses or names. */
  readonly words: readonly string[];
  readonly layout: string | null;
  /** In lower case. */
  readonly sha256: string | null;
  /** For parseOptions. */
  readonly rest: readonly string[];
}

/** The options, or what is wrong with the call. */
export function parseModelsOptions(argv: readonly string[]): ModelsOptions | string {
  const given = new Map<string, string>();
  const words: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    const [, name = "", inline] = /^--(layout|sha256|config)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === "") {
      (word.startsWith("-") ? rest : words).push(word);
      continue;
    }
    const value = inline ?? argv[++index];
    if (value === undefined || value === "" || value.startsWith("--")) return `--${name} needs a value.`;
    if (name === "config") rest.push("--config", value);
    else given.set(name, value);
  }
  const [verb = "list", ...names] = words;
  const problem = problemOf(verb, names, given.get("sha256"));
  if (problem !== null) return problem;
  return {
    verb: verb as ModelsOptions["verb"],
    words: names,
    layout: given.get("layout") ?? null,
    sha256: given.get("sha256")?.toLowerCase() ?? null,
    rest,
  };
}

function problemOf(verb: string, names: readonly string[], sha256: string | undefined): string | null {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) return "--sha256 takes 64 hexadecimal digits.";
  switch (verb) {
    case "list":
      return names.length === 0 ? null : "list takes nothing more.";
    case "add":
    case "check":
      return names.length >= 1 && names.length <= MOST_FILES ? null : `${verb} takes the files of one model.`;
    case "remove":
      return names.length === 1 ? null : "remove takes the name of one model, as `zmes models` shows it.";
    default:
      return `"${verb}" is none of list, add, check and remove.`;
  }
}

/** .weights, .cfg and labels. */
const MOST_FILES = 3;
