// What `zmes detect` says: for people, and as JSON for scripts.
import type { DetectionAnswer } from "../../detect/job.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import type { Detection, DetectionResult, Rejected, Size } from "../../domain/detection.ts";
import { printable } from "../listen/texts.ts";
import type { Asked } from "./ask.ts";

/** Lines for people. `ms`: how long the command waited for the answer. */
export function reportOf(request: DetectRequest, { found, whyOwn }: Asked, ms: number): string {
  if ("failed" in found) return lines([`${subject(request)}: ${found.failed}`]);
  const { result, engines = [] } = found;
  const own = whyOwn === null ? "the server's detector" : `a detector of this command (${whyOwn})`;
  return lines([
    `${subject(request)}${pictureOf(result)}`,
    ...section("Found", result.detections.map(foundRow)),
    ...section("Rejected", result.rejected.map(rejectedRow)),
    ...(result.zones.length === 0 ? [] : [`Zones     ${result.zones.map(({ name }) => name).join(", ")}`]),
    ...engines.map((engine, i) => `${i === 0 ? "Models" : ""}`.padEnd(10) + engine),
    `Time      ${timesOf(result)}`,
    `          ${duration(ms)} in all, by ${own}`,
    ...(found.printed === "" ? [] : [`Text      ${textOf(found)}`]),
    ...result.troubles.map((trouble, i) => `${i === 0 ? "Troubles" : ""}`.padEnd(10) + trouble),
  ]);
}

/** One JSON object; its keys stay as they are. */
export function jsonReport(request: DetectRequest, { found, whyOwn }: Asked, ms: number): string {
  const about = { event: request.event, file: request.file, monitor: request.monitor };
  const by = { looked_by: whyOwn === null ? "server" : "command", why: whyOwn, ms: rounded(ms) };
  if ("failed" in found) return `${JSON.stringify({ ...about, failed: found.failed, ...by })}\n`;
  const { result, engines = [] } = found;
  const { frame, detections, rejected, original, analyzed, zones, troubles } = result;
  return `${JSON.stringify({
    ...about,
    text: textOf(found),
    frame,
    detections,
    rejected: rejected.map(({ detection, reason, detail }) => ({ ...detection, reason, detail })),
    original,
    analyzed,
    zones,
    engines,
    timings: result.timings.map(({ step, ms: time }) => ({ step, ms: rounded(time) })),
    troubles,
    ...by,
  })}\n`;
}

function subject({ event, file }: DetectRequest): string {
  return event === null ? (file ?? "") : `Event ${event}`;
}

function pictureOf({ frame, original, analyzed }: DetectionResult): string {
  if (original === null) return "";
  const name = frame === null || frame === "single" ? "" : `, ${frame}`;
  const isResized = analyzed !== null && analyzed.width !== original.width;
  return `${name}, ${pixels(original)}${isResized ? `, searched as ${pixels(analyzed)}` : ""}`;
}

function pixels({ width, height }: Size): string {
  return `${width}x${height}`;
}

/** Title in the first column of the first row. */
function section(title: string, rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return title === "Found" ? ["Found     nothing"] : [];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row, i) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `${(i === 0 ? title : "").padEnd(10)}${cells.join("  ")}`.trimEnd();
  });
}

function foundRow({ label, confidence, box, type, model }: Detection): readonly string[] {
  const kind = type === "object" ? "" : ` (${type})`;
  return [label, percent(confidence), placeOf(box), `${model}${kind}`];
}

function rejectedRow({ detection, reason, detail }: Rejected): readonly string[] {
  const { label, confidence, box } = detection;
  return [label, percent(confidence), placeOf(box), `${reason}: ${detail}`];
}

function placeOf([x1, y1, x2, y2]: Detection["box"]): string {
  return `${x1},${y1} to ${x2},${y2}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

/** Steps of one name together: each picture has its own. */
function timesOf({ timings }: DetectionResult): string {
  const sums = new Map<string, { readonly ms: number; readonly times: number }>();
  for (const { step, ms } of timings) {
    const { ms: before, times } = sums.get(step) ?? { ms: 0, times: 0 };
    sums.set(step, { ms: before + ms, times: times + 1 });
  }
  const steps = [...sums].map(
    ([step, { ms, times }]) => `${step} ${duration(ms)}${times > 1 ? ` (${times} times)` : ""}`,
  );
  return steps.length === 0 ? "not measured" : steps.join(", ");
}

function duration(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms >= 10 ? Math.round(ms) : rounded(ms)} ms`;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function textOf({ printed }: DetectionAnswer): string {
  return printed.split("--SPLIT--")[0] ?? "";
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${printable(line)}\n`).join("");
}
