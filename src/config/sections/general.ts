// Section "general": files and folders, and which monitors are left alone.
import { z } from "zod";
import { flag, monitorList, number, optionalText, text } from "../fields.ts";

export const general = z
  .strictObject({
    secrets: optionalText(
      {
        about:
          "File with the secrets. A value written as !NAME, here or in any section, is looked up there. INI with a section [secrets], or YAML with a mapping called secrets.",
        since: "4.5",
        live: true,
        example: "/etc/zm/secrets.yml",
      },
      "file",
    ),
    base_data_path: text(
      "/var/lib/zmeventnotification",
      {
        about: `Data directory. Other values may use it as $\{base_data_path} or {{base_data_path}}.`,
        since: "5.2",
      },
      "file",
    ),
    restart_interval: number(
      7200,
      { min: 0, max: 31_536_000 },
      {
        about: "Seconds after which the original restarted itself.",
        since: "4.6",
        obsolete: "the program has no need to restart itself",
      },
    ),
    use_escontrol_interface: flag(false, {
      about: "Whether clients may log in with category escontrol to mute monitors and change settings.",
      since: "5.7",
      live: true,
      guarded: "authentication",
    }),
    escontrol_interface_file: text(
      "/var/lib/zmeventnotification/misc/escontrol_interface.dat",
      {
        about: "Where the original kept what its control interface changed.",
        since: "5.7",
        obsolete:
          "it is kept in escontrol.json in the data directory, since only Perl reads the original's form",
      },
      "file",
    ),
    escontrol_interface_password: optionalText({
      about: "Password of the control interface.",
      since: "5.7",
      live: true,
      secret: true,
      example: '"!ESCONTROL_INTERFACE_PASSWORD"',
    }),
    skip_monitors: monitorList({
      about: "Monitors that are ignored entirely.",
      since: "5.11",
      live: true,
      example: "[3, 7]",
    }),
  })
  .describe("Files and folders, and which monitors are left alone.");
