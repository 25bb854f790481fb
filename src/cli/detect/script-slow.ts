// The part of `zmes detect-script` that needs the configuration: no server answers, or it is asked for more than an answer.
import type { DetectionFailure } from "../../detect/detector.ts";
import type { DetectionAnswer } from "../../detect/job.ts";
import { printedAnswer } from "../../detect/output/text.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import type { DetectionResult } from "../../domain/detection.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { CommandIo } from "../command.ts";
import { readConfiguration } from "../configuration.ts";
import { type OwnDetectionOptions, recordOurselves } from "../detection/own.ts";
import { createSettingsFor } from "../detection/settings.ts";
import { askOrLook, becomeOwner, createStderrLogger, problemOf } from "./ask.ts";
import { reportOf } from "./report.ts";
import type { ScriptCall } from "./script-arguments.ts";

export interface SlowCall {
  readonly name: string;
  readonly call: ScriptCall;
  readonly configPath: string | null;
  /** Why the server could not be asked; null: it was not tried. */
  readonly unreachable: string | null;
  readonly io: CommandIo;
  readonly signal: AbortSignal;
}

/** Never rejects. */
export async function answerSlowly(slow: SlowCall): Promise<DetectionAnswer | DetectionFailure> {
  const { name, call, configPath, unreachable, io, signal } = slow;
  try {
    const loaded = readConfiguration({ overrides: [], configPath }, io.env);
    const problem = problemOf(loaded);
    if (problem !== null) return { failed: problem };
    const { config } = loaded;
    becomeOwner(config);
    const logger = createStderrLogger(io, name);
    const own: OwnDetectionOptions = { config, environment: io.env, clock: io.clock, logger, signal };
    if (call.kind === "fake") return await fakeAnswer(call.request, call.labels, own);
    if (call.kind !== "look") return { failed: "there is nothing to look at" };
    const onOwn = (why: string) =>
      void io.stderr.write(`${name}: ${why}; looking with a detector of its own\n`);
    const begun = io.clock.monotonic();
    const asked = await askOrLook(call.request, { ...own, unreachable, onOwn });
    if (call.isDebug) io.stderr.write(reportOf(call.request, asked, io.clock.monotonic() - begun));
    return asked.found;
  } catch (failure) {
    return { failed: reasonOf(failure) };
  }
}

/** Boxes side by side, as the original's; no picture is looked at. */
async function fakeAnswer(
  request: DetectRequest,
  labels: readonly string[],
  own: OwnDetectionOptions,
): Promise<DetectionAnswer | DetectionFailure> {
  const settings = await createSettingsFor(own.config, own.logger)(request.monitor, request.options);
  if ("failed" in settings) return settings;
  const result: DetectionResult = {
    frame: "snapshot",
    detections: labels.map((label, i) => ({
      label,
      confidence: 0.996,
      box: [50 + 100 * i, 50, 150 + 100 * i, 200],
      type: "object",
      model: "fake",
    })),
    rejected: [],
    original: null,
    analyzed: null,
    zones: [],
    timings: [],
    troubles: [],
  };
  const printed = printedAnswer(result, settings.output, settings.frames.isBestMatch);
  return recordOurselves(request, { result, printed }, own);
}
