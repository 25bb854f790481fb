// The detector inside the daemon: what looks at alarms in place of a script, and what commands on this machine reach.
import path from "node:path";
import type { Config } from "../config/schema.ts";
import { createDetector, type DetectionFailure, type Detector } from "../detect/detector.ts";
import type { DetectionAnswer } from "../detect/job.ts";
import type { DetectRequest } from "../detect/socket-messages.ts";
import { createSocketServer } from "../detect/socket-server.ts";
import { type Alarm, eventId } from "../domain/alarm.ts";
import type { BuiltIn } from "../hooks/built-in.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import type { Installation } from "../zoneminder/installation.ts";
import { withHogOnDemand } from "./detection/hog.ts";
import { detectionJob, type JobFacts, type SettingsFor } from "./detection/job.ts";
import { type Records, record } from "./detection/records.ts";
import { createSettingsThread } from "./detection/settings-thread.ts";

export interface DetectionOptions {
  readonly config: Config;
  readonly facts: JobFacts;
  readonly settingsFor: SettingsFor;
  /** Where commands have notes and tags written; absent: nowhere. */
  readonly records?: Records;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For one question: nothing is loaded before it, and its moving pictures are made after the program has ended. */
  readonly isBrief?: boolean;
  /** Another program in place of the detector's process; for tests. */
  readonly script?: string;
}

export interface Detection {
  /** Started before the hooks and stopped after them. */
  readonly parts: readonly Part[];
  /** Null where detection is off. */
  readonly builtIn: BuiltIn | null;
  /** Never rejects. */
  look(request: DetectRequest, signal: AbortSignal): Promise<DetectionAnswer | DetectionFailure>;
  readonly counts: Detector["counts"];
}

/** The file in the data directory through which commands reach the detector. */
export const DETECTOR_SOCKET = "detector.sock";
/** Below the data directory: converted models, and what cameras saw last. */
const CACHE_FOLDER = "models/converted";
const PAST_FOLDER = "past-detections";

/** What the daemon itself asks: its own configuration, files written as that says. */
const OWN_OPTIONS: DetectRequest["options"] = {
  config: null,
  overrides: [],
  writesFiles: true,
  drawTo: null,
};

/** That of the installed ZoneMinder, with the settings that the configuration names. */
export function detectionOf(parts: {
  readonly config: Config;
  readonly zoneminder: Pick<Installation, "detectionFacts" | "eventFiles" | "eventNotes">;
  readonly clock: Clock;
  readonly logger: Logger;
}): Detection | null {
  const { config, zoneminder, clock, logger } = parts;
  const folder = async (number: number) => {
    const event = eventId(number);
    return event === null ? null : zoneminder.eventFiles.folder(event);
  };
  const settings = createSettingsThread(config, logger);
  const detection = createDetection({
    config,
    facts: { ...zoneminder.detectionFacts, folder },
    settingsFor: settings.settingsFor,
    records: zoneminder.eventNotes,
    environment: process.env,
    clock,
    logger,
  });
  return detection === null ? null : { ...detection, parts: [settings, ...detection.parts] };
}

/** Builds it; no process runs before `start`. Null where neither alarms nor commands are to have a detector. */
export function createDetection(options: DetectionOptions): Detection | null {
  const { config, facts, records, clock, logger } = options;
  const settingsFor = withHogOnDemand(options.settingsFor, config);
  const { detection, hook, general } = config;
  if (!detection.enable && !detection.serve_commands) return null;
  const deps = { facts, settingsFor };
  const detector = createDetector(
    { ...detection, max_wait: hook.max_wait },
    {
      cacheFolder: path.join(general.base_data_path, CACHE_FOLDER),
      pastFolder: path.join(general.base_data_path, PAST_FOLDER),
      ...(detection.enable && !options.isBrief && { warmUp }),
      isBrief: options.isBrief === true,
      environment: options.environment,
      clock,
      logger,
      ...(options.script !== undefined && { script: options.script }),
    },
  );
  const socket = createSocketServer({
    path: path.join(general.base_data_path, DETECTOR_SOCKET),
    look: lookForCommand,
    logger,
  });
  return {
    parts: detection.serve_commands ? [detector, socket] : [detector],
    builtIn: detection.enable ? { atStart: true, atEnd: detection.at_end, look: lookAtAlarm } : null,
    look,
    counts: detector.counts,
  };

  async function look(
    request: DetectRequest,
    signal: AbortSignal,
  ): Promise<DetectionAnswer | DetectionFailure> {
    const job = await detectionJob(request, deps);
    return "failed" in job ? job : detector.look(job, signal);
  }

  /** Nobody waits for the database. */
  async function lookForCommand(request: DetectRequest, signal: AbortSignal) {
    const found = await look(request, signal);
    if (!("failed" in found) && records !== undefined) void record(request, found, records, config);
    return found;
  }

  async function lookAtAlarm(alarm: Alarm, signal: AbortSignal) {
    const request: DetectRequest = {
      event: alarm.eventId,
      file: null,
      monitor: alarm.monitor.id,
      cause: alarm.cause,
      path: null,
      options: OWN_OPTIONS,
    };
    const found = await look(request, signal);
    if ("failed" in found) return found;
    const { troubles } = found.result;
    if (troubles.length > 0)
      logger.info({ event: alarm.eventId ?? 0 }, `Event ${alarm.eventId ?? 0}: ${troubles.join("; ")}`);
    return { printed: found.printed };
  }

  /** What most monitors will need; where it cannot be read, each look says why. */
  async function warmUp() {
    const settings = await settingsFor(null, OWN_OPTIONS);
    if (!("failed" in settings)) return settings;
    logger.error(`Alarms are told without detection: ${settings.failed}`);
    return null;
  }
}
