// `zmes run`: the daemon itself, in the foreground.
import { type Command, EXIT } from "./command.ts";

export const run: Command = {
  name: "run",
  summary: "start the notification server (what ZoneMinder does)",
  usage: "[run] [OPTIONS]",
  options: [],
  notes: [],
  async run(_argv, io) {
    io.stderr.write("not wired yet\n");
    return EXIT.failed;
  },
};
