// Section "zoneminder": how ZoneMinder is found and watched.
import { z } from "zod";
import { autoOrNumber, number, optionalText, text } from "../fields.ts";

export const zoneminder = z
  .strictObject({
    config: text(
      "/etc/zm/zm.conf",
      { about: "ZoneMinder's own configuration; the folder conf.d beside it is read too.", since: "8" },
      "file",
    ),
    map_path: optionalText(
      {
        about: "Folder of ZoneMinder's shared memory. Unset: what ZM_PATH_MAP in zm.conf says.",
        since: "8",
        example: "/dev/shm",
      },
      "file",
    ),
    scan_interval_ms: autoOrNumber(
      { min: 2, max: 1000 },
      {
        about:
          "Milliseconds between two looks at the cameras. auto: 10 while somebody listens on a socket, 50 otherwise. A look that takes long stretches it, so that watching never takes more than a twentieth of a processor.",
        since: "8",
        live: true,
      },
    ),
    event_id_wait_ms: number(
      1500,
      { min: 0, max: 60_000 },
      {
        about:
          "Milliseconds to wait for ZoneMinder to name the event of an alarm. Some releases raise the alarm up to a second before they create the event.",
        since: "8",
        live: true,
      },
    ),
    late_alarm_max_age: number(
      300,
      { min: 0, max: 604_800 },
      {
        about:
          "Alarms missed while the program was not running are told late, unless older than this many seconds: nobody acts on an alarm of yesterday. 0 tells none.",
        since: "8",
        live: true,
      },
    ),
    rights_reload_interval: number(
      10,
      { min: 1, max: 10 },
      {
        about:
          "Seconds between two readings of who may see which monitor. 10 is the most: a right that is withdrawn must end soon.",
        since: "8",
      },
    ),
  })
  .describe("How ZoneMinder is found and watched.");
