// Finds the command that was typed, runs it and gives its exit code.
import { type Command, type CommandIo, EXIT, helpFor, helpForAll } from "./command.ts";

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
  if (rest.includes("--help") || rest.includes("-h")) {
    io.stdout.write(named ? helpFor(command) : helpForAll(commands));
    return EXIT.ok;
  }
  return command.run(rest, io);
}

function refuseUnknown(commands: readonly Command[], name: string, io: CommandIo): number {
  const nearest = nearestName(
    name,
    commands.map((command) => command.name),
  );
  const hint = nearest ? ` Did you mean \`zmes ${nearest}\`?` : "";
  io.stderr.write(`zmes: there is no command "${name}".${hint}\n\n${helpForAll(commands)}`);
  return EXIT.usage;
}

/** The name with the fewest typing mistakes, or undefined when none is near. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
  const starting = names.find((name) => typed.length >= 2 && name.startsWith(typed));
  if (starting) return starting;
  const distances = names.map((name) => ({ name, distance: editDistance(typed, name) }));
  const best = distances.sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
