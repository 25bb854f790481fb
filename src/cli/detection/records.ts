// What a command found is noted at the event itself, where it asks for that: notes and tags in ZoneMinder's database.
import type { Config } from "../../config/schema.ts";
import type { DetectionAnswer } from "../../detect/job.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import { eventId } from "../../domain/alarm.ts";
import { labelsOf } from "../../domain/labels.ts";
import type { EventNotes } from "../../zoneminder/event-notes.ts";

export type Records = Pick<EventNotes, "replace" | "tag">;

/** Resolves when it is written; never rejects. */
export async function record(
  request: DetectRequest,
  { printed, result }: DetectionAnswer,
  records: Records,
  { hook }: Pick<Config, "hook">,
): Promise<void> {
  const event = request.event === null ? null : eventId(request.event);
  if (request.records === undefined || event === null || printed === "") return;
  const [text = ""] = printed.split("--SPLIT--");
  const labels = labelsOf({ labels: result.detections.map(({ label }) => label) });
  await Promise.all([
    request.records.notes ? records.replace(event, text) : null,
    hook.tag_detected_objects ? records.tag(event, labels) : null,
  ]);
}
