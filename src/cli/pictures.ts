// `zmes pictures rotate-key`: makes every picture link that was ever sent void.
import { parseOptions } from "../config/cli-options.ts";
import { loadConfig } from "../config/load.ts";
import { reasonOf } from "../lib/errors.ts";
import { becomeUser } from "../lib/privileges.ts";
import { rotateKey } from "../store/key-file.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import { type Command, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { absentDataFolder } from "./data-folder.ts";

export const pictures: Command = {
  name: "pictures",
  summary: "make all picture links void by a new key",
  usage: "pictures rotate-key [OPTIONS]",
  options: configOptions.filter(({ flag }) => flag.startsWith("--config ")),
  notes: [
    "For when a link got into wrong hands, or a phone was lost. A running server notices at once; messages sent before lose their picture.",
  ],
  async run(argv, io) {
    const { overrides, configPath, warnings, rest } = parseOptions(argv);
    for (const warning of warnings) io.stderr.write(`zmes: ${warning}\n`);
    if (rest.length !== 1 || rest[0] !== "rotate-key")
      return refuseUsage(io, "pictures", "it takes rotate-key and options.");
    const { config } = loadConfig({ overrides, path: configPath, env: io.env });
    const zoneminder = readZmConf(config.zoneminder.config);
    const values = zoneminder.ok ? zoneminder.conf.values : new Map<string, string>();
    // The server must be able to read it: the key belongs to the same user.
    becomeUser(values.get("ZM_WEB_USER"), values.get("ZM_WEB_GROUP"));
    try {
      await rotateKey(config.general.base_data_path);
    } catch (failure) {
      const folder = config.general.base_data_path;
      const why = absentDataFolder(folder, values.get("ZM_WEB_USER")) ?? reasonOf(failure);
      io.stderr.write(`zmes pictures: the key could not be exchanged: ${why}\n`);
      return EXIT.failed;
    }
    io.stdout.write("There is a new key: picture links sent so far no longer work.\n");
    return EXIT.ok;
  },
};
