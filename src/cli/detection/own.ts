// Looks without the server: a detector process for one question, ended with it.
import type { Config } from "../../config/schema.ts";
import type { DetectionFailure } from "../../detect/detector.ts";
import type { DetectionAnswer } from "../../detect/job.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import { eventId } from "../../domain/alarm.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";
import { createInstallation, type Installation } from "../../zoneminder/installation.ts";
import { readZmConf } from "../../zoneminder/zm-conf.ts";
import { createDetection } from "../detection.ts";
import type { JobFacts } from "./job.ts";
import { record } from "./records.ts";
import { createSettingsFor } from "./settings.ts";

export interface OwnDetectionOptions {
  readonly config: Config;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** A model is loaded first, and one of Darknet converted: that is in no hurry when somebody waits at a terminal. */
const LEAST_DEADLINE_S = 120;

/** Never rejects. A file needs no ZoneMinder. */
export async function lookOurselves(
  request: DetectRequest,
  options: OwnDetectionOptions,
): Promise<DetectionAnswer | DetectionFailure> {
  return withZoneMinder(request, options, async (zoneminder, facts) => {
    const { config, environment, clock, logger, signal } = options;
    const deadline = Math.max(LEAST_DEADLINE_S, config.detection.deadline);
    const detection = createDetection({
      config: {
        ...config,
        detection: { ...config.detection, enable: true, serve_commands: false, deadline },
      },
      facts,
      settingsFor: createSettingsFor(config, logger),
      environment,
      clock,
      logger,
      isBrief: true,
    });
    if (detection === null) return { failed: "there is no detector" };
    try {
      const found = await detection.look(request, signal);
      if (!("failed" in found) && zoneminder !== null)
        await record(request, found, zoneminder.eventNotes, config);
      return found;
    } finally {
      for (const part of detection.parts.toReversed()) await part.stop();
    }
  });
}

/** Has the answer's notes and tags written, for an answer that came from nowhere. */
export async function recordOurselves(
  request: DetectRequest,
  answer: DetectionAnswer,
  options: OwnDetectionOptions,
): Promise<DetectionAnswer | DetectionFailure> {
  if (!request.records?.notes && !options.config.hook.tag_detected_objects) return answer;
  return withZoneMinder(request, options, async (zoneminder) => {
    if (zoneminder !== null) await record(request, answer, zoneminder.eventNotes, options.config);
    return answer;
  });
}

async function withZoneMinder<T>(
  request: DetectRequest,
  { config, clock, logger }: OwnDetectionOptions,
  work: (zoneminder: Installation | null, facts: JobFacts) => Promise<T>,
): Promise<T | DetectionFailure> {
  const needsIt = request.event !== null || request.monitor !== null;
  if (!needsIt) return work(null, NO_ZONEMINDER);
  const read = readZmConf(config.zoneminder.config);
  if (!read.ok) {
    // Whoever names the folder, or a file, can do without.
    if (request.event === null || request.path !== null) return work(null, NO_ZONEMINDER);
    return {
      failed: `ZoneMinder's configuration ${config.zoneminder.config} cannot be read: ${read.problem}`,
    };
  }
  const zoneminder = createInstallation({ conf: read.conf, config, clock, logger });
  const { part, eventNotes, eventFiles, detectionFacts } = zoneminder;
  try {
    await part.start(new AbortController().signal);
    const folder = async (number: number) => {
      const event = eventId(number);
      return event === null ? null : eventFiles.folder(event);
    };
    return await work(zoneminder, { ...detectionFacts, folder });
  } finally {
    await eventNotes.stop();
    await part.stop();
  }
}

const NO_ZONEMINDER: JobFacts = {
  event: async () => null,
  monitor: async () => null,
  folder: async () => null,
};
