// Section "push": a script that passes alarms to another push service.
import { z } from "zod";
import { flag, number, optionalText } from "../fields.ts";

export const push = z
  .strictObject({
    use_api_push: flag(false, {
      about: "Whether a script passes alarms to another push service.",
      since: "5.9",
    }),
    api_push_script: optionalText({
      about:
        "The script that does it, with arguments of its own before ours if it has any. No shell runs it: quotes work, pipes and variables do not.",
      since: "5.9",
      guarded: "a program",
      example: "/var/lib/zmeventnotification/bin/pushapi_pushover.py",
    }),
    script_timeout: number(
      60,
      { min: 1, max: 110 },
      {
        about: "Seconds after which the script is ended, with everything it has started.",
        since: "8",
      },
    ),
    expires_after: number(
      3600,
      { min: 1, max: 604_800 },
      {
        about:
          "Seconds after which an alarm that waits for the script is given up. A script that ends with exit code 75 is run again; every other exit code is final.",
        since: "8",
      },
    ),
  })
  .describe("A script that passes alarms to another push service.");
