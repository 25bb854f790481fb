// Finds the command that was typed, runs it and gives its exit code.
import { parseOptions } from "../config/cli-options.ts";
import { nearest } from "../config/words.ts";
import { type Command, type CommandIo, EXIT, helpFor, helpForAll } from "./command.ts";
import { typedName } from "./typed-name.ts";

/** ZoneMinder starts the daemon without arguments, so no command, or only options, means this one. */
const DEFAULT_COMMAND = "run";

export async function runCommandLine(
  commands: readonly Command[],
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  const [first] = argv;
  const named = first !== undefined && !first.startsWith("-");
  const name = named ? first : DEFAULT_COMMAND;
  const rest = named ? argv.slice(1) : argv;
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) return refuseUnknown(commands, name, io);
  if (asksForHelp(command, rest)) {
    io.stdout.write(named ? helpFor(command) : helpForAll(commands));
    return EXIT.ok;
  }
  return command.run(rest, io);
}

function asksForHelp(command: Command, argv: readonly string[]): boolean {
  if (argv.includes("--help") || argv.includes("-h")) return true;
  // The daemon's options may be shortened and have one dash, as in the original.
  return command.name === DEFAULT_COMMAND && parseOptions(argv).help;
}

function refuseUnknown(commands: readonly Command[], name: string, io: CommandIo): number {
  const meant = nearestName(
    name,
    commands.map((command) => command.name),
  );
  const zmes = typedName(io.env);
  const hint = meant ? ` Did you mean \`${zmes} ${meant}\`?` : "";
  // The whole list would push this line off a small screen.
  io.stderr.write(`zmes: there is no command "${name}".${hint}\nAll of them: ${zmes} help\n`);
  return EXIT.usage;
}

/** The command that was meant: one that begins like that, or the one with the fewest typing mistakes. */
export function nearestName(typed: string, names: readonly string[]): string | null {
  const begun = typed.length >= 2 && names.find((name) => name.startsWith(typed));
  return begun || nearest(typed, names);
}
