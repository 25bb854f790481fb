// What of all that a model saw counts: pattern, confidence, size, zones, in this order, each refusal with its figures.
import type { AreaLimit, ModelGroup, ModelSettings, ZoneSettings } from "../../domain/detect-settings.ts";
import type { Detection, Rejected, RejectReason, Size } from "../../domain/detection.ts";
import { areaOf } from "./geometry.ts";
import { acceptsLabel, byLabel } from "./labels.ts";
import { isInZone, type SearchZone } from "./zones.ts";

export interface FilterContext {
  readonly group: Pick<ModelGroup, "pattern" | "maxDetectionSize" | "maxDetectionSizes">;
  /** The group's pattern, translated; null: any label. */
  readonly pattern: RegExp | null;
  readonly model: Pick<ModelSettings, "minConfidence" | "maxDetectionSize">;
  /** Of the analyzed picture. */
  readonly size: Size;
  readonly zones: readonly SearchZone[];
  readonly zoneSettings: Pick<ZoneSettings, "rule" | "minOverlapPercent" | "patternReplaces">;
}

/** Null when it counts; else which filter says no, and why. */
export function refusalOf(detection: Detection, context: FilterContext): Rejected | null {
  return (
    patternRefusal(detection, context) ??
    confidenceRefusal(detection, context) ??
    sizeRefusal(detection, context) ??
    zoneRefusal(detection, context)
  );
}

/** The area in square pixels that a limit allows in a picture. */
function allowedArea({ unit, value }: AreaLimit, size: Size): number {
  return unit === "pixels" ? value : (value / 100) * size.width * size.height;
}

function rejected(detection: Detection, reason: RejectReason, detail: string): Rejected {
  return { detection, reason, detail };
}

function patternRefusal(detection: Detection, context: FilterContext): Rejected | null {
  const { zones, zoneSettings, pattern, group } = context;
  // A zone's own pattern may accept what the group's does not: then each zone decides with the one that is in force there.
  if (zoneSettings.patternReplaces && zones.some((zone) => zone.pattern !== null)) return null;
  if (pattern === null || acceptsLabel(pattern, detection.label)) return null;
  return rejected(detection, "pattern", `"${detection.label}" does not match ${group.pattern}`);
}

function confidenceRefusal(detection: Detection, { model }: FilterContext): Rejected | null {
  if (detection.confidence >= model.minConfidence) return null;
  const detail = `${shown(detection.confidence)} is below ${model.minConfidence} (min_confidence)`;
  return rejected(detection, "confidence", detail);
}

function sizeRefusal(detection: Detection, { group, model, size }: FilterContext): Rejected | null {
  const limit =
    byLabel(group.maxDetectionSizes, detection.label) ?? model.maxDetectionSize ?? group.maxDetectionSize;
  if (limit === null) return null;
  const area = areaOf(detection.box);
  if (area <= allowedArea(limit, size)) return null;
  const share = (area / (size.width * size.height)) * 100;
  const detail =
    limit.unit === "percent"
      ? `it covers ${shown(share)}% of the picture, more than ${limit.value}% (max_detection_size)`
      : `it covers ${area} square pixels, more than ${limit.value} (max_detection_size)`;
  return rejected(detection, "size", detail);
}

function zoneRefusal(detection: Detection, context: FilterContext): Rejected | null {
  const { zones, zoneSettings } = context;
  if (zones.length === 0) return null;
  const met = zones.filter((zone) => isInZone(detection.box, zone, zoneSettings));
  if (met.length === 0)
    return rejected(
      detection,
      "zone",
      `it is in none of these: ${zones.map((zone) => zone.name).join(", ")}`,
    );
  // Versions 3 to 6: the first zone that is met decides, whatever it decides. 7: any of them may accept.
  const deciding = zoneSettings.patternReplaces ? met.slice(0, 1) : met;
  const refusals = deciding.map((zone) => refusalIn(zone, detection, context));
  return refusals.includes(null) ? null : (refusals[0] ?? null);
}

function refusalIn(zone: SearchZone, detection: Detection, context: FilterContext): Rejected | null {
  const { label } = detection;
  if (zone.ignorePattern !== null && acceptsLabel(zone.ignorePattern, label))
    return rejected(detection, "zone-pattern", `zone ${zone.name} ignores "${label}"`);
  if (zone.pattern !== null) {
    if (acceptsLabel(zone.pattern, label)) return null;
    return rejected(detection, "zone-pattern", `"${label}" does not match the pattern of zone ${zone.name}`);
  }
  if (!context.zoneSettings.patternReplaces || context.pattern === null) return null;
  if (acceptsLabel(context.pattern, label)) return null;
  return rejected(detection, "pattern", `"${label}" does not match ${context.group.pattern}`);
}

/** Enough digits to see why 0.4996 is below 0.5. */
function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
