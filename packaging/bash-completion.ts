// What bash offers after `zmes` and the Tab key, made from the list of commands.
import type { Command } from "../src/cli/command.ts";

/** A file for /usr/share/bash-completion/completions. */
export function bashCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const cases = commands.map((command) => `    ${command.name}) words="${wordsOf(command, names)}" ;;`);
  const withValue = [...new Set(commands.flatMap(({ options }) => options.flatMap(valueFlags)))].sort();
  return `# bash completion for zmes; made from its list of commands
_zmes() {
  local words
  case "\${COMP_WORDS[COMP_CWORD - 1]}" in
    ${withValue.join(" | ")}) return ;; # a value, such as a file
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="${[...names, "--help"].join(" ")}" ;;
  esac
  if [ "$COMP_CWORD" = 1 ]; then words="${[...names, "--help"].join(" ")}"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _zmes zmes
`;
}

function wordsOf({ name, usage, options }: Command, names: readonly string[]): string {
  const flags = options.flatMap(({ flag }) => flag.match(/--[\w-]+/g) ?? []);
  // "rules test|replay": what is written in small letters is typed as it is.
  const typed = usage
    .replace(/\[[^\]]*--[^\]]*\]/g, "")
    .split(/[\s|[\]]+/)
    .filter((word) => /^[a-z][a-z-]*$/.test(word) && word !== name);
  const others = name === "help" ? names : typed;
  return [...new Set([...others, ...flags, "--help"])].join(" ");
}

function valueFlags({ flag }: { readonly flag: string }): string[] {
  return /[A-Z]{2,}$/.test(flag) ? (flag.match(/--[\w-]+/g) ?? []) : [];
}
