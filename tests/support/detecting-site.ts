// A whole daemon with its built-in detector: every event has its pictures in one folder, `folder`/event.

import type { SettingsFor } from "../../src/cli/detection/job.ts";
import { createDetection, type Detection } from "../../src/cli/detection.ts";
import type { Config } from "../../src/config/schema.ts";
import { explainAlarm } from "../../src/delivery/history.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { createSite, type Site } from "./daemon.ts";
import type { FakeChannel } from "./fake-channel.ts";

export interface DetectingSite extends Site {
  detection(): Detection;
  /** What `zmes why` says of the event. */
  why(event: number): string;
}

export interface DetectingSiteOptions {
  readonly folder: string;
  readonly channel: FakeChannel;
  readonly settingsFor: SettingsFor;
  /** On top of: detection on, everybody is told when something was found. */
  readonly change: (config: Config) => Config;
}

/** Built anew, with its detector, at each start of the site. */
export function createDetectingSite(options: DetectingSiteOptions): DetectingSite {
  const { folder, channel, settingsFor, change } = options;
  let detection: Detection | null = null;
  const site = createSite(
    (config) => change(detecting(config)),
    [channel],
    null,
    undefined,
    ({ config, logger }) => {
      detection = createDetection({
        config,
        facts: {
          event: async (event) => ({
            kind: "event",
            event,
            monitor: 1,
            root: folder,
            folders: ["event"],
            isOpen: false,
            video: "",
            digits: 5,
            bestFrame: null,
            alarmFrame: null,
            frameTimes: {},
          }),
          monitor: async (id) => ({ id, name: `Camera ${id}`, width: 640, height: 480, zones: [] }),
          folder: async () => null,
        },
        settingsFor,
        environment: process.env,
        clock: systemClock,
        logger,
      });
      return detection;
    },
  );
  return Object.assign(site, {
    detection() {
      if (detection === null) throw new Error("the site has no detector");
      return detection;
    },
    why(event: number) {
      const history = openHistory(site.dataFile, { write: false });
      const lines = history.alarmsOfEvent(event).flatMap(explainAlarm).join("\n");
      history.close();
      return lines;
    },
  });
}

function detecting(config: Config): Config {
  const hook = {
    ...config.hook,
    use_hook_description: true,
    event_start_notify_on_hook_success: ["all" as const],
  };
  return { ...config, hook, detection: { ...config.detection, enable: true, serve_commands: false } };
}
