// `zmes rules`: asks the rules about a moment, or about the alarms that were.
import { parseOptions } from "../config/cli-options.ts";
import { loadConfig } from "../config/load.ts";
import { loadRules } from "../config/rules-file.ts";
import type { RuleSet } from "../domain/rules.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { findDataFile } from "./data-file.ts";
import { printable } from "./listen/texts.ts";
import { parseRulesOptions, type RulesOptions } from "./rules/options.ts";
import { replayRules } from "./rules/replay.ts";
import { groupsOf, testRules } from "./rules/test.ts";
import { withHistory } from "./why.ts";

export const rules: Command = {
  name: "rules",
  summary: "say which rule decides about an alarm, or what the rules would change about past alarms",
  usage: "rules test --monitor N [--at TIME] [--cause TEXT] | rules replay [--last N] [OPTIONS]",
  options: [
    { flag: "--monitor N", text: "number of the monitor" },
    { flag: "--at TIME", text: 'local time, "2026-03-29 02:30" or "02:30" of today; without it, now' },
    { flag: "--cause TEXT", text: 'cause of the alarm, such as "detected:person"' },
    { flag: "--channel NAME", text: "how the alarm would be told: web, fcm, mqtt or api" },
    { flag: "--device WORD", text: "whom: a user name, or the end of a phone's token" },
    { flag: "--group NAME", text: "a group the monitor is in; without it, those the server saw last" },
    { flag: "--last N", text: "how many past alarms are replayed; 50 without it" },
    { flag: "--file F", text: "read the rules from this file instead of customize.es_rules" },
    ...configOptions.filter(({ flag }) => flag.startsWith("--config ")),
  ],
  notes: [
    "Examples: `zmes rules test --monitor 2 --at 23:30`, `sudo zmes rules replay --last 20`.",
    "Nothing is changed, and the server need not run. A cooldown counts from alarms told before: `test` knows of none, `replay` starts with none.",
    "The exit code is 1 when the rules cannot be read as a whole; what can be read of them is used nevertheless.",
  ],
  async run(argv, io) {
    const options = parseRulesOptions(argv, io.clock.now());
    if (typeof options === "string") return refuseUsage(io, "rules", options);
    // A draft may be readable for root alone, and findDataFile becomes another user.
    const draft = options.file === null ? null : readRulesFrom(options.file, io);
    const { path, rest } = findDataFile(options.rest, io);
    const [verb, ...more] = rest;
    if (more.length > 0 || (verb !== "test" && verb !== "replay"))
      return refuseUsage(io, "rules", "it takes test or replay.");
    if (verb === "test" && options.monitor === null)
      return refuseUsage(io, "rules", "--monitor N is missing.");
    const file = options.file ?? configuredFile(options.rest, io);
    if (file === null) {
      io.stderr.write(
        "zmes rules: there are none: customize.es_rules is not set. Name a file with --file.\n",
      );
      return EXIT.failed;
    }
    const read = draft ?? readRulesFrom(file, io);
    return verb === "test" ? runTest(read, options, path, io) : runReplay(read, options, path, io);
  },
};

function configuredFile(argv: readonly string[], io: CommandIo): string | null {
  const { overrides, configPath } = parseOptions(argv);
  return loadConfig({ overrides, path: configPath, env: io.env }).config.customize.es_rules;
}

interface Read {
  readonly rules: RuleSet;
  readonly isGood: boolean;
}

function readRulesFrom(file: string, io: CommandIo): Read {
  const { rules: found, problems, warnings } = loadRules(file);
  for (const line of [...problems, ...warnings]) io.stderr.write(`${printable(line)}\n`);
  return { rules: found, isGood: problems.length === 0 };
}

function runTest({ rules: found, isGood }: Read, options: RulesOptions, path: string, io: CommandIo): number {
  const groups = options.groups.length > 0 ? options.groups : groupsOf(options.monitor ?? 0, path);
  for (const line of testRules(found, { ...options, groups })) io.stdout.write(`${printable(line)}\n`);
  return isGood ? EXIT.ok : EXIT.failed;
}

function runReplay(
  { rules: found, isGood }: Read,
  { last }: RulesOptions,
  path: string,
  io: CommandIo,
): number {
  return withHistory(path, { write: false }, io, (history) => {
    for (const line of replayRules(found, history.lastAlarms(last))) io.stdout.write(`${printable(line)}\n`);
    return isGood ? EXIT.ok : EXIT.failed;
  });
}
