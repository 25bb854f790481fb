// Section "push": a script that passes alarms to another push service.
import { z } from "zod";
import { flag, optionalText } from "../fields.ts";

const API_PUSH = "push scripts come with a later release";

export const push = z
  .strictObject({
    use_api_push: flag(false, {
      about: "Whether a script passes alarms to another push service.",
      since: "5.9",
      waitsFor: API_PUSH,
    }),
    api_push_script: optionalText({
      about: "The script that does it.",
      since: "5.9",
      waitsFor: API_PUSH,
      example: "/var/lib/zmeventnotification/bin/pushapi_pushover.py",
    }),
  })
  .describe("A script that passes alarms to another push service.");
