// `zmes detect`: what the detector sees in a picture, a video or an event, what does not count and why, and how long it took.
import { parseOptions } from "../config/cli-options.ts";
import type { Config } from "../config/schema.ts";
import { reasonOf } from "../lib/errors.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { readConfiguration } from "./configuration.ts";
import { askOrLook, becomeOwner, createStderrLogger, problemOf } from "./detect/ask.ts";
import { handOver } from "./detect/handed-files.ts";
import { INSTALL_VERB, installScripts } from "./detect/install-scripts.ts";
import { type DetectOptions, parseDetectOptions } from "./detect/options.ts";
import { jsonReport, reportOf } from "./detect/report.ts";
import { showWaiting } from "./detect/waiting.ts";
import { printable } from "./listen/texts.ts";

export const detect: Command = {
  name: "detect",
  summary: "look for things in a picture, a video or an event, and say what counts and why",
  usage: "detect FILE|EVENT_ID [OPTIONS] | detect install-scripts DIR [NAME...] [--uninstall]",
  options: [
    { flag: "--monitor N", text: "with the settings, zones and size of this monitor" },
    { flag: "--cause TEXT", text: "ZoneMinder's words for the alarm; they name the triggered zones" },
    { flag: "--draw FILE", text: "a JPEG with boxes and zones goes here" },
    { flag: "--json", text: "one JSON object instead of lines" },
    { flag: "--objectconfig FILE", text: "objectconfig.ini or .yml instead of what detection.config names" },
    ...configOptions.filter(({ flag }) => flag.startsWith("--config ")),
    { flag: "--uninstall", text: "with install-scripts: take the scripts away and put back what was there" },
  ],
  notes: [
    "Examples: `zmes detect picture.jpg --draw found.jpg`, `sudo zmes detect 5060` for an event.",
    "The detector of the running server is asked; without one, a process of its own looks, and says so. Nothing is written into the event's folder. A file needs no ZoneMinder.",
    "`install-scripts` puts commands with the names and arguments of the original's scripts into the folder DIR; files that are there are kept as NAME.before-zmes.",
  ],
  async run(argv, io) {
    if (argv[0] === INSTALL_VERB) return installScripts(argv.slice(1), io);
    const options = parseDetectOptions(argv);
    if (typeof options === "string") return refuseUsage(io, "detect", options);
    const parsed = parseOptions([...options.rest]);
    for (const warning of parsed.warnings) io.stderr.write(`zmes: ${warning}\n`);
    const loaded = readConfiguration(parsed, io.env);
    try {
      const problem = problemOf(loaded);
      if (problem !== null) throw new Error(problem);
      return await look(options, loaded.config, io);
    } catch (failure) {
      io.stderr.write(`zmes detect: ${printable(reasonOf(failure))}\n`);
      return EXIT.failed;
    }
  },
};

async function look({ request, isJson }: DetectOptions, config: Config, io: CommandIo): Promise<number> {
  const { options } = request;
  const files = await handOver(
    { file: request.file, drawTo: options.drawTo },
    config.general.base_data_path,
    () => becomeOwner(config),
  );
  const waiting = showWaiting(io);
  try {
    const handed = { ...request, file: files.file, options: { ...options, drawTo: files.drawTo } };
    const begun = io.clock.monotonic();
    const asked = await askOrLook(handed, {
      config,
      environment: io.env,
      clock: io.clock,
      logger: createStderrLogger(io, "zmes detect"),
      signal: io.stopSignal(),
      unreachable: null,
      onOwn: (why) => waiting.say(`Loading the model: ${why}`),
    });
    waiting.end();
    if (io.stopSignal().aborted) return EXIT.failed;
    const ms = io.clock.monotonic() - begun;
    const isFailed = "failed" in asked.found;
    // JSON is for programs, which read it wherever it ends.
    if (isJson) io.stdout.write(jsonReport(request, asked, ms));
    else (isFailed ? io.stderr : io.stdout).write(reportOf(request, asked, ms));
    return isFailed ? EXIT.failed : EXIT.ok;
  } finally {
    waiting.end();
    files.finish();
  }
}
