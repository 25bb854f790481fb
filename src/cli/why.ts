// `zmes why`: what was decided about an event and what came of it, for each recipient.
import { explainAlarm } from "../delivery/history.ts";
import { AppError, reasonOf } from "../lib/errors.ts";
import { type HistoryFile, openHistory } from "../store/history-file.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { findDataFile } from "./data-file.ts";
import { printable } from "./listen/texts.ts";

export const why: Command = {
  name: "why",
  summary: "say who was told of an event, who was not, and why",
  usage: "why EVENT_ID [OPTIONS]",
  options: configOptions.filter(({ flag }) => flag.startsWith("--config ")),
  notes: ["The history is kept for history.keep days. The server may run meanwhile."],
  async run(argv, io) {
    const { path, rest } = findDataFile(argv, io);
    const [text, ...more] = rest;
    if (text === undefined || more.length > 0 || !/^\d{1,15}$/.test(text))
      return refuseUsage(io, "why", "it takes the number of one event.");
    return withHistory(path, { write: false }, io, (file) => explain(file, Number(text), io));
  },
};

/** Opens the file for the job; a file that cannot be used is said and gives exit code 1. */
export function withHistory(
  path: string,
  options: { readonly write: boolean },
  io: CommandIo,
  job: (file: HistoryFile) => number,
): number {
  let file: HistoryFile | null = null;
  try {
    file = openHistory(path, options);
    return job(file);
  } catch (failure) {
    const { message, hint, code } = new AppError("HISTORY_UNREADABLE", { path, problem: reasonOf(failure) });
    io.stderr.write(`zmes: ${message} [${code}]\n${hint}\n`);
    return EXIT.failed;
  } finally {
    file?.close();
  }
}

function explain(file: HistoryFile, event: number, io: CommandIo): number {
  const records = file.alarmsOfEvent(event);
  if (records.length === 0) {
    io.stdout.write(
      `Nothing is known of event ${event}: no alarm of it was seen, or it is older than history.keep.\n`,
    );
    return EXIT.failed;
  }
  io.stdout.write(`Event ${event}\n`);
  for (const line of records.flatMap(explainAlarm)) io.stdout.write(`${printable(line)}\n`);
  return EXIT.ok;
}
