// `zmes example-config`: a complete configuration file with comments.
import { exampleConfig as exampleText } from "../config/example.ts";
import { type Command, EXIT, refuseUsage } from "./command.ts";

export const exampleConfig: Command = {
  name: "example-config",
  summary: "print a complete configuration file with comments",
  usage: "example-config",
  options: [],
  notes: ["Every setting in it is at its default; `zmes example-config > zmes.yml` is a good start."],
  async run([unexpected], io) {
    if (unexpected !== undefined) return refuseUsage(io, "example-config", "it takes no arguments.");
    io.stdout.write(exampleText());
    return EXIT.ok;
  },
};
