// `zmes help [COMMAND]`: the list of commands, or one of them explained.
import { type Command, EXIT, helpFor, helpForAll, refuseUsage } from "./command.ts";
import { nearestName } from "./dispatch.ts";

/** Needs the other commands, of which the list in index.ts is made; explains itself too. */
export function createHelp(others: readonly Command[]): Command {
  const help: Command = {
    name: "help",
    summary: "list the commands, or explain one",
    usage: "help [COMMAND]",
    options: [],
    notes: [],
    async run([name], io) {
      const all = [...others, help];
      const command = all.find((candidate) => candidate.name === name);
      if (name !== undefined && !command) return refuseUsage(io, "help", unknown(name, all));
      io.stdout.write(command ? helpFor(command) : helpForAll(all));
      return EXIT.ok;
    },
  };
  return help;
}

function unknown(name: string, all: readonly Command[]): string {
  const meant = nearestName(
    name,
    all.map((command) => command.name),
  );
  return `there is no command "${name}".${meant === null ? "" : ` Did you mean \`zmes help ${meant}\`?`}`;
}
