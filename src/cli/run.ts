// `zmes run`: the daemon itself, in the foreground.
import { parseOptions } from "../config/cli-options.ts";
import { AppError } from "../lib/errors.ts";
import { settleStandardStreams } from "../lib/standard-streams.ts";
import { isStartedByZmdc, takeProcessTitle } from "../zoneminder/zmdc.ts";
import { checkConfig } from "./check-config.ts";
import { type Command, EXIT } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { readConfiguration } from "./configuration.ts";
import { serve } from "./run/serve.ts";
import { asTyped, typedName } from "./typed-name.ts";
import { version } from "./version.ts";

export const run: Command = {
  name: "run",
  summary: "start the notification server (what ZoneMinder does)",
  usage: "[run] [OPTIONS]",
  options: configOptions,
  notes: [
    "An option stands above the configuration file. The file is /etc/zm/zmes.yml, else zmeventnotification.yml or .ini there, unless --config names one.",
  ],
  async run(argv, io) {
    const options = parseOptions(argv);
    if (options.version) return version.run([], io);
    if (options.checkConfig) return checkConfig.run(argv, io);
    const underZmdc = isStartedByZmdc();
    settleStandardStreams(underZmdc);
    takeProcessTitle(underZmdc);
    for (const warning of options.warnings) io.stderr.write(`zmes: ${warning}\n`);
    const read = (kept?: ReadonlyMap<string, string>) => readConfiguration(options, io.env, kept);
    const loaded = read();
    if (loaded.problems.length > 0) {
      for (const problem of loaded.problems) io.stderr.write(`${problem}\n`);
      io.stderr.write(
        `zmes did not start. \`${typedName(io.env)} --check-config\` shows what is read from the configuration.\n`,
      );
      return EXIT.usage;
    }
    try {
      const { debug } = options;
      await serve({ loaded, read, debug, underZmdc, stop: io.stopSignal(), clock: io.clock });
      return EXIT.ok;
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      io.stderr.write(
        `zmes: ${failure.message} [${failure.code}]\n${asTyped(failure.hint, typedName(io.env))}\n`,
      );
      return failure.code === "ALREADY_RUNNING" ? EXIT.busy : EXIT.failed;
    }
  },
};
