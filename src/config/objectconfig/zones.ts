// The polygons of a monitor, as objectconfig files have them: keys of [monitor-N], or `zones` in version 7.
import type { ZoneSetting, ZoneSettings } from "../../domain/detect-settings.ts";
import type { Point } from "../../domain/detection.ts";
import { complain, type Reading, resolve } from "./reading.ts";
import { scopeOf, takeFlag, takePattern } from "./take.ts";
import type { Entries, Value } from "./value.ts";

/** What no objectconfig file can say. */
export type ZoneRules = Pick<ZoneSettings, "rule" | "minOverlapPercent">;

/** `own`: what the monitor itself has; undefined: nothing, or no monitor. */
export function zonesOf(reading: Reading, own: Entries | undefined, rules: ZoneRules): ZoneSettings {
  const scope = scopeOf(reading, reading.values);
  const { version } = reading.file;
  return {
    rule: rules.rule,
    minOverlapPercent: rules.minOverlapPercent,
    own: version === 7 ? namedZones(reading, reading.values.get("zones")) : polygonKeys(reading, own),
    useZoneMinder: version !== 3 && takeFlag(scope, false, "import_zm_zones"),
    onlyTriggered: version !== 3 && takeFlag(scope, false, "only_triggered_zm_zones"),
    patternReplaces: version !== 7,
  };
}

const ZONE_PATTERN = "_zone_detection_pattern";
/** Named so, a key is a setting, whatever its value looks like. */
const SETTING = /^(object|face|alpr)_/;

/** Version 6: each key whose value is a polygon is one. */
function polygonKeys(reading: Reading, own: Entries | undefined): readonly ZoneSetting[] {
  const zones = new Map<string, ZoneSetting>();
  const scope = scopeOf(reading, own);
  for (const [key, value] of own ?? []) {
    const text = value.kind === "text" ? value.text : "";
    if (SETTING.test(key) || !LOOKS_LIKE_POLYGON.test(text)) continue;
    const area = polygon(reading, value);
    const pattern = takePattern(scope, `${key}${ZONE_PATTERN}`);
    if (area !== null) zones.set(key, { name: key, ...area, pattern, ignorePattern: null });
  }
  // Without a polygon of its own, the pattern is for ZoneMinder's zone of that name.
  for (const key of own?.keys() ?? []) {
    const name = key.endsWith(ZONE_PATTERN) ? key.slice(0, -ZONE_PATTERN.length) : "";
    if (name === "" || zones.has(name)) continue;
    const pattern = takePattern(scope, key);
    if (pattern !== null) zones.set(name, { name, points: [], unit: "pixels", pattern, ignorePattern: null });
  }
  return [...zones.values()];
}

const NO_AREA = { points: [], unit: "pixels" } as const;

/** Version 7. */
function namedZones(reading: Reading, zones: Value | undefined): readonly ZoneSetting[] {
  if (zones === undefined || zones.kind === "nothing") return [];
  if (zones.kind !== "map") {
    complain(reading, zones, "names of zones are expected below it, each with coords");
    return [];
  }
  return [...zones.entries].flatMap(([name, zone]) => {
    const scope = scopeOf(reading, zone.entries);
    const coords = zone.entries.get("coords");
    const area = coords === undefined || coords.kind === "nothing" ? NO_AREA : polygon(reading, coords);
    const pattern = takePattern(scope, "detection_pattern", "pattern");
    const ignorePattern = takePattern(scope, "ignore_pattern");
    if (area === null) return [];
    if (area.points.length === 0 && pattern === null && ignorePattern === null)
      complain(reading, zone, "the zone has neither coords nor a pattern");
    return [{ name, ...area, pattern, ignorePattern }];
  });
}

const LOOKS_LIKE_POLYGON = /^\s*-?\d+(\.\d+)?%?\s*,\s*-?\d+(\.\d+)?%?(\s|$)/;
/** What the filters take; nobody draws more. */
const MOST_POINTS = 500;

/** "x,y x,y ..." in pixels of the whole picture, or "x%,y% ..." in percent of it; null is complained about. */
function polygon(reading: Reading, value: Value): Pick<ZoneSetting, "points" | "unit"> | null {
  const text = value.kind === "text" ? resolve(reading, value).text : "";
  const corners = text
    .trim()
    .replace(/\s*,\s*/g, ",")
    .split(/\s+/);
  const isPercent = corners.every((corner) => /^[^%]+%,[^%]+%$/.test(corner));
  const points = corners.flatMap((corner): Point[] => {
    const bare = isPercent ? corner.replaceAll("%", "") : corner;
    const found = /^(-?\d{1,6}(?:\.\d{1,9})?),(-?\d{1,6}(?:\.\d{1,9})?)$/.exec(bare);
    return found === null ? [] : [[Number(found[1]), Number(found[2])]];
  });
  if (points.length === corners.length && points.length >= 3 && points.length <= MOST_POINTS)
    return { points, unit: isPercent ? "percent" : "pixels" };
  complain(
    reading,
    value,
    'a polygon has three corners or more, written as "x,y x,y x,y" (pixels) or "x%,y% ..."',
  );
  return null;
}
