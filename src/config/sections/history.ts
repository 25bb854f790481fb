// Section "history": how long it is kept what was decided about alarms, and what came of it.
import { z } from "zod";
import { number } from "../fields.ts";

export const history = z
  .strictObject({
    keep: number(
      14,
      { min: 1, max: 3650 },
      {
        about:
          "Days for which `zmes why` and `zmes outbox` know what became of an alarm. A thousand alarms for twenty phones take about five megabytes.",
        since: "8",
        live: true,
      },
    ),
  })
  .describe("How long it is kept what was decided about alarms, and what came of it.");
