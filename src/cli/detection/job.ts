// Turns a question about an event or a file into a job for the detector: its settings, where its pictures are, its zones.
import path from "node:path";
import type { DetectionJob } from "../../detect/job.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import type { DetectSettings } from "../../domain/detect-settings.ts";
import type { EventSource, MonitorFacts } from "../../domain/detection-source.ts";
import { reasonOf } from "../../lib/errors.ts";

/** What is in force for a monitor; `failed`: why nothing can be. */
export type SettingsFor = (
  monitor: number | null,
  options: DetectRequest["options"],
) => Promise<DetectSettings | { readonly failed: string }>;

/** Where events and monitors are looked up; both may reject while the database is away. */
export interface JobFacts {
  event(
    event: number,
    frames: readonly number[],
  ): Promise<(EventSource & { readonly monitor: number }) | null>;
  monitor(monitor: number): Promise<MonitorFacts | null>;
  /** The event's folder, waited for briefly while it does not exist; null when nobody knows. */
  folder(event: number): Promise<string | null>;
}

export interface JobDeps {
  readonly facts: JobFacts;
  readonly settingsFor: SettingsFor;
}

/** Never rejects. */
export async function detectionJob(
  request: DetectRequest,
  deps: JobDeps,
): Promise<DetectionJob | { readonly failed: string }> {
  try {
    return request.event === null
      ? await fileJob(request.file ?? "", request, deps)
      : await eventJob(request.event, request, deps);
  } catch (failure) {
    return { failed: reasonOf(failure) };
  }
}

async function fileJob(file: string, request: DetectRequest, { facts, settingsFor }: JobDeps) {
  const settings = await settingsFor(request.monitor, request.options);
  if ("failed" in settings) return settings;
  const monitor = request.monitor === null ? null : await facts.monitor(request.monitor);
  const { writesFiles } = request.options;
  return {
    ...common(request, settings),
    source: { kind: "file", path: file } as const,
    monitor,
    outputFolder: writesFiles && settings.output.writeImageToZm ? request.path : null,
  };
}

async function eventJob(event: number, request: DetectRequest, { facts, settingsFor }: JobDeps) {
  const number = request.monitor ?? (await monitorOf(event, facts));
  const settings = await settingsFor(number, request.options);
  if ("failed" in settings) return settings;
  const [source, monitor] = await Promise.all([
    sourceOf(event, request, settings, facts),
    number === null ? null : facts.monitor(number).catch(() => null),
  ]);
  if (source === null) return { failed: `ZoneMinder has no event ${event}` };
  const isWritten = request.options.writesFiles && settings.output.writeImageToZm;
  const own = isWritten && source.root !== null ? await facts.folder(event) : null;
  return {
    ...common(request, settings),
    source,
    monitor,
    outputFolder: isWritten ? (request.path ?? own) : null,
  };
}

function common({ cause, options }: DetectRequest, settings: DetectSettings) {
  return { cause, settings, drawTo: options.drawTo };
}

async function monitorOf(event: number, facts: JobFacts): Promise<number | null> {
  return (await facts.event(event, []).catch(() => null))?.monitor ?? null;
}

/** Without the database, the folder that the caller named has to do. */
async function sourceOf(
  event: number,
  request: DetectRequest,
  { frames }: DetectSettings,
  facts: JobFacts,
): Promise<EventSource | null> {
  const numbers = frames.frameSet.map(Number).filter((number) => Number.isSafeInteger(number) && number > 0);
  const folder = request.path;
  if (folder === null) return facts.event(event, numbers);
  const known = await facts.event(event, numbers).catch(() => null);
  const nothing = { isOpen: true, video: "", digits: 5, bestFrame: null, alarmFrame: null, frameTimes: {} };
  const root = path.dirname(folder);
  return { ...nothing, ...known, kind: "event", event, root, folders: [path.basename(folder)] };
}
