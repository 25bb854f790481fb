// `zmes check-config`, also `zmes --check-config`: the configuration as it is understood.
import { parseOptions } from "../config/cli-options.ts";
import type { LoadedConfig } from "../config/load.ts";
import { type KnownKey, knownKeys } from "../config/schema.ts";
import { showValue } from "../config/shown-value.ts";
import { checkFiles, type FileFindings } from "./check-config/files.ts";
import { configGroups } from "./check-config/rows.ts";
import { type Command, EXIT } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { readConfiguration } from "./configuration.ts";

export const checkConfig: Command = {
  name: "check-config",
  summary: "show the configuration as it is understood, and what is wrong with it",
  usage: "check-config [OPTIONS]",
  options: configOptions.filter(({ flag }) => flag !== "--check-config"),
  notes: ["The exit code is 0 when the server could start with this configuration, otherwise 2."],
  async run(argv, io) {
    const { overrides, configPath, warnings } = parseOptions(argv);
    for (const warning of warnings) io.stderr.write(`zmes: ${warning}\n`);
    const loaded = readConfiguration({ overrides, configPath }, io.env);
    const { text, exitCode } = reportConfig(loaded, await checkFiles(loaded, io.clock.now()));
    io.stdout.write(text);
    return exitCode;
  },
};

/** What --check-config prints, and its exit code. No secret is in the text. */
export function reportConfig(loaded: LoadedConfig, files: FileFindings): Report {
  const warnings = [...loaded.warnings, ...files.warnings];
  const problems = [...loaded.problems, ...files.problems];
  const isGood = problems.length === 0;
  const blocks = [
    [heading(loaded.source)],
    ...configGroups(loaded, loaded.dialect),
    listed("Changed by escontrol:", changedFromAfar(loaded)),
    listed("Set, but not used yet:", statuses(loaded, "not used yet")),
    listed("Set, but no longer needed:", statuses(loaded, "no longer needed")),
    listed("About the keys of detection.config:", files.objectConfig ?? []),
    listed("Warnings:", warnings),
    listed("Errors:", problems),
    [
      isGood
        ? "The server can start with this configuration."
        : "The server cannot start with this configuration.",
    ],
  ];
  const text = blocks.filter((block) => block.length > 0).map((block) => `${block.join("\n")}\n`);
  return { text: `\n${text.join("\n")}`, exitCode: isGood ? EXIT.ok : EXIT.usage };
}

interface Report {
  readonly text: string;
  readonly exitCode: number;
}

/** The first two are the original's own words. */
function heading({ path, read, absent }: LoadedConfig["source"]): string {
  if (read) return `Configuration (read ${path}):`;
  return absent
    ? `Default configuration (${path} doesn't exist):`
    : `Default configuration (${path} cannot be read):`;
}

function statuses(loaded: LoadedConfig, status: KnownKey["status"]): string[] {
  return [...knownKeys.values()]
    .filter((known) => known.status === status && loaded.origins.has(known.path))
    .map((known) => `${known.path}: ${known.reason}`);
}

function changedFromAfar(loaded: LoadedConfig): string[] {
  return [...loaded.origins].flatMap(([path, { from }]) =>
    from === "escontrol" ? [`${path}: ${showValue(loaded, path)}`] : [],
  );
}

function listed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}
