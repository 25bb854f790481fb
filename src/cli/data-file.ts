// Finds the file in which the server keeps its outbox and its history, for commands that read it beside the server.
import path from "node:path";
import { parseOptions } from "../config/cli-options.ts";
import type { Config } from "../config/schema.ts";
import { becomeUser } from "../lib/privileges.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import type { CommandIo } from "./command.ts";
import { readConfiguration } from "./configuration.ts";

export interface DataFile {
  readonly path: string;
  readonly config: Config;
  /** What was typed besides options. */
  readonly rest: readonly string[];
}

/** As root, becomes the web server's user first: files that SQLite makes beside it must belong to that user. */
export function findDataFile(argv: readonly string[], io: CommandIo): DataFile {
  const { overrides, configPath, warnings, rest } = parseOptions(argv);
  for (const warning of warnings) io.stderr.write(`zmes: ${warning}\n`);
  const { config } = readConfiguration({ overrides, configPath }, io.env);
  const read = readZmConf(config.zoneminder.config);
  const values = read.ok ? read.conf.values : new Map<string, string>();
  becomeUser(values.get("ZM_WEB_USER"), values.get("ZM_WEB_GROUP"));
  return { path: path.join(config.general.base_data_path, "zmes.db"), config, rest };
}
