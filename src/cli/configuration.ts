// The configuration as every command of `zmes` reads it: file, what escontrol changed, command line.
import type { ParsedOptions } from "../config/cli-options.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { readKept } from "../store/overrides.ts";
import type { CommandIo } from "./command.ts";

/** Never throws: what is wrong is in its `problems`. `kept` replaces what escontrol left on the disk. */
export function readConfiguration(
  { overrides, configPath }: Pick<ParsedOptions, "overrides" | "configPath">,
  env: CommandIo["env"],
  kept?: ReadonlyMap<string, string>,
): LoadedConfig {
  const keptIn = (directory: string) => (kept ? { settings: kept, problem: null } : readKept(directory));
  return loadConfig({ overrides, path: configPath, env, keptIn });
}
