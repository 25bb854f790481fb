// ZoneMinder's own configuration: readable, and saying what zmes needs of it.
import { type Check, ok, problem } from "./check.ts";

export const zoneminder: Check = {
  name: "zoneminder",
  title: "ZoneMinder",
  async run({ zoneminder: read, webUser }) {
    if (!read.ok)
      return [
        problem(
          read.problem.replace(/\.$/, ""),
          `Give it to the group of the server's user (sudo chgrp ${webUser} /etc/zm/zm.conf && sudo chmod 640 /etc/zm/zm.conf), or name the right file in zoneminder.config.`,
        ),
      ];
    return [ok(`${read.conf.files.join(" and ")} were read`.replace(/^(\S+) were/, "$1 was"))];
  },
};
