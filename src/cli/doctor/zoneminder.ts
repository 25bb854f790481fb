// ZoneMinder's own configuration: readable, and saying what zmes needs of it.
import { shellWord } from "../../lib/command-line.ts";
import { type Check, ok, problem } from "./check.ts";

export const zoneminder: Check = {
  name: "zoneminder",
  title: "ZoneMinder",
  async run({ zoneminder: read, config, webUser }) {
    if (!read.ok) {
      const [first = read.problem] = read.problem.split(". ");
      const file = /\S+\.conf/.exec(first)?.[0]?.replace(/:$/, "") ?? config.zoneminder.config;
      const fix = first.includes("permission denied")
        ? `Give it to the group of the server's user: sudo chgrp ${webUser} ${shellWord(file)} && sudo chmod 640 ${shellWord(file)}`
        : "Install ZoneMinder, or name its zm.conf in zoneminder.config (usual places are /etc/zm, /etc and /usr/local/etc).";
      return [problem(first.replace(/\.$/, ""), fix)];
    }
    return [ok(`${read.conf.files.join(", ")} were read`.replace(/^(\S+) were/, "$1 was"))];
  },
};
