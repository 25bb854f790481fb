// Which zones are looked in, in pixels of the picture as it is analyzed, and whether a box counts as being in one.
import type { ZoneSetting, ZoneSettings } from "../../domain/detect-settings.ts";
import type { Box, Point, Size, Zone } from "../../domain/detection.ts";
import type { MonitorFacts, ZoneFacts } from "../../domain/detection-source.ts";
import { translatePattern } from "../../domain/python-pattern.ts";
import { areaOf, boxMeetsPolygon, coveredArea, polygonHolds } from "./geometry.ts";

export interface SearchZone extends Zone {
  readonly pattern: RegExp | null;
  readonly ignorePattern: RegExp | null;
}

export interface ZonesInForce {
  /** Empty: everything counts, wherever it is. */
  readonly zones: readonly SearchZone[];
  /** In words: what could not be used, and what that means. */
  readonly troubles: readonly string[];
}

export interface PictureSizes {
  readonly original: Size;
  readonly analyzed: Size;
}

/**
 * ZoneMinder looks for motion in these. In the others the operator wants none (Privacy, Inactive), none that counts by
 * itself (Exclusive), or expects what must not raise alarms (Preclusive).
 */
const SEARCHED = new Set(["active", "inclusive"]);
/** Nobody draws more; the covered area takes the square of it. */
const MOST_POINTS = 500;

/**
 * The zones that count for this picture: the operator's own, and ZoneMinder's where asked for. With `onlyTriggered`,
 * ZoneMinder's alone, and of these the ones that the cause names; when it names none (a continuous or forced event), all.
 * A setting without points lends its patterns to ZoneMinder's zone of that name.
 */
export function zonesInForce(
  settings: ZoneSettings,
  monitor: MonitorFacts | null,
  cause: string,
  sizes: PictureSizes,
): ZonesInForce {
  const troubles: string[] = [];
  const imports = settings.useZoneMinder || settings.onlyTriggered;
  const theirs = imports && monitor !== null ? monitorZones(settings, monitor, cause, sizes, troubles) : [];
  const own =
    settings.onlyTriggered && theirs.length > 0
      ? []
      : settings.own
          .filter(({ points }) => points.length > 0)
          .map((zone) => ({
            ...withPatterns(zone, troubles),
            name: zone.name,
            points: scaled(
              zone.points.slice(0, MOST_POINTS),
              zone.unit === "percent" ? WHOLE : sizes.original,
              sizes.analyzed,
            ),
          }));
  return { zones: [...own, ...theirs], troubles };
}

/** Whether the box counts as being in the zone, by the rule and the share of it that must be. */
export function isInZone(
  box: Box,
  zone: Zone,
  { rule, minOverlapPercent }: Pick<ZoneSettings, "rule" | "minOverlapPercent">,
): boolean {
  const [x1, , x2, y2] = box;
  const meets =
    rule === "bottom_center"
      ? polygonHolds(zone.points, [(x1 + x2) / 2, y2])
      : boxMeetsPolygon(box, zone.points);
  if (!meets || minOverlapPercent <= 0) return meets;
  const area = areaOf(box);
  return area > 0 && (coveredArea(box, zone.points) / area) * 100 >= minOverlapPercent;
}

/** As ZoneMinder's zones are called in configurations: lower case, "_" for blanks. */
function zoneName(name: string): string {
  return name.trim().toLowerCase().replace(/\s/g, "_");
}

const WHOLE: Size = { width: 100, height: 100 };

function monitorZones(
  settings: ZoneSettings,
  monitor: MonitorFacts,
  cause: string,
  sizes: PictureSizes,
  troubles: string[],
): readonly SearchZone[] {
  const searched = monitor.zones.filter(({ type }) => SEARCHED.has(type.toLowerCase()));
  const triggered = settings.onlyTriggered ? searched.filter(({ name }) => isNamed(cause, name)) : [];
  const chosen = triggered.length > 0 ? triggered : searched;
  if (chosen.length > 0 && isTurned(sizes.original, monitor)) {
    troubles.push(
      `The picture is ${text(sizes.original)} but monitor ${monitor.name} is ${text(monitor)}: it was not rotated as the ` +
        "camera is, so ZoneMinder's zones do not fit it and were not used",
    );
    return [];
  }
  return chosen.flatMap((zone) => {
    const points = zonePoints(zone, monitor, sizes);
    if (points === null) {
      troubles.push(
        `Zone ${zone.name} of monitor ${monitor.name} was left out: "${zone.coords.slice(0, 60)}" is no polygon`,
      );
      return [];
    }
    const name = zoneName(zone.name);
    const setting = settings.own.find((each) => each.points.length === 0 && zoneName(each.name) === name);
    return [{ ...withPatterns(setting ?? null, troubles), name, points }];
  });
}

/** As a whole word, whatever its case, anywhere in ZoneMinder's words such as "Motion: Front door, Drive". */
function isNamed(cause: string, name: string): boolean {
  const word = name.trim().replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  if (word === "") return false;
  return new RegExp(`(?<![\\p{L}\\p{N}_])${word}(?![\\p{L}\\p{N}_])`, "iu").test(cause);
}

/**
 * A rotated camera's pictures are upright like its monitor; a frame that lies across comes from a player that does not
 * turn them. Which way it would have to be turned is not known, so nothing is guessed.
 */
function isTurned(picture: Size, monitor: Size): boolean {
  if (monitor.width <= 0 || monitor.height <= 0) return false;
  const ratio = picture.width / picture.height;
  const wanted = monitor.width / monitor.height;
  const isAcross = ratio > 1 !== wanted > 1 && ratio !== 1 && wanted !== 1;
  return isAcross && Math.abs(Math.log(ratio * wanted)) < Math.abs(Math.log(ratio / wanted)) / 4;
}

/**
 * From 1.39.2 coordinates are percent with decimals; before, `Units` spoke of the thresholds only and coordinates were
 * pixels of the monitor (db/zm_update-1.39.2.sql), so both signs are needed.
 */
function zonePoints(zone: ZoneFacts, monitor: MonitorFacts, sizes: PictureSizes): readonly Point[] | null {
  const points = parsePoints(zone.coords);
  if (points === null) return null;
  const isPercent = zone.units.toLowerCase() === "percent" && zone.coords.includes(".");
  const isMeasured = monitor.width > 0 && monitor.height > 0;
  return scaled(points, isPercent ? WHOLE : isMeasured ? monitor : sizes.original, sizes.analyzed);
}

/** "x,y x,y ..."; null for anything else. Never throws. */
function parsePoints(coords: string): readonly Point[] | null {
  const points: Point[] = [];
  for (const corner of coords.trim().split(/\s+/)) {
    const found = /^(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)$/.exec(corner);
    if (found === null || points.length === MOST_POINTS) return null;
    points.push([Number(found[1]), Number(found[2])]);
  }
  return points.length >= 3 ? points : null;
}

function scaled(points: readonly Point[], from: Size, to: Size): readonly Point[] {
  return points.map(([x, y]): Point => [(x * to.width) / from.width, (y * to.height) / from.height]);
}

function withPatterns(
  setting: Pick<ZoneSetting, "name" | "pattern" | "ignorePattern"> | null,
  troubles: string[],
): Pick<SearchZone, "pattern" | "ignorePattern"> {
  const compiled = (pattern: string | null): RegExp | null => {
    if (pattern === null || setting === null) return null;
    const regex = translatePattern(pattern);
    if (regex instanceof RegExp) return regex;
    troubles.push(`The pattern ${pattern} of zone ${setting.name} was left out: ${regex.fault}`);
    return null;
  };
  return {
    pattern: compiled(setting?.pattern ?? null),
    ignorePattern: compiled(setting?.ignorePattern ?? null),
  };
}

function text({ width, height }: Size): string {
  return `${width}x${height}`;
}
