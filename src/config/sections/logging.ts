// Section "logging": what the program writes about its own work.
import { z } from "zod";
import { choice } from "../fields.ts";

export const logging = z
  .strictObject({
    level: choice(["fatal", "error", "warn", "info", "debug", "trace"], "info", {
      about: "How much is logged.",
      since: "8",
      live: true,
    }),
    format: choice(["auto", "lines", "json"], "auto", {
      about:
        "How the console log is written. lines: for people; json: one object a line, for log collectors; auto: lines, in colour on a terminal and without a date under systemd, which adds its own.",
      since: "8",
      live: true,
    }),
  })
  .describe("What the program writes about its own work.");
