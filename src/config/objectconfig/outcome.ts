// What an objectconfig file says of the time after the look: what was there before, texts, pictures, animations.
import { dirname, resolve as resolvePath } from "node:path";
import type { AnimationSettings, OutputSettings, PastSettings } from "../../domain/detect-settings.ts";
import { complain, type Reading, resolve } from "./reading.ts";
import {
  find,
  itemsOf,
  type Scope,
  scopeOf,
  takeArea,
  takeFlag,
  takeLabelAreas,
  takeNumber,
  takeSeconds,
  takeText,
  takeWords,
} from "./take.ts";
import type { Entries } from "./value.ts";

/** `places`: where the sequence may say it, nearest first, above the single keys. */
export function pastOf(reading: Reading, ...places: readonly (Entries | undefined)[]): PastSettings {
  const scope = scopeOf(reading, ...places, reading.values);
  return {
    isOn: takeFlag(scope, false, "match_past_detections"),
    maxDifference: takeArea(scope, "past_det_max_diff_area") ?? { unit: "percent", value: 5 },
    maxDifferences: takeLabelAreas(scope, "_past_det_max_diff_area"),
    ignoredLabels: takeWords(scope, "ignore_past_detection_labels") ?? [],
  };
}

/** Groups of labels that mean the same. */
export function aliasesOf(reading: Reading, general: Entries | undefined): readonly (readonly string[])[] {
  const scope = scopeOf(reading, general, reading.values);
  const value = find(scope, "aliases");
  if (value === null) return [];
  reading.seen.add(value);
  const groups = itemsOf(reading, value)?.map((group) => {
    reading.seen.add(group);
    return group.kind === "list"
      ? group.items.map((item) => (item.kind === "text" ? resolve(reading, item).text : ""))
      : [];
  });
  if (groups?.every((group) => group.length > 0 && !group.includes(""))) return groups;
  complain(
    reading,
    value,
    "lists of labels in a list are expected here, such as [['car', 'truck'], ['dog', 'cat']]",
  );
  return [];
}

export function outputOf(reading: Reading): OutputSettings {
  const scope = scopeOf(reading, reading.values);
  // Version 6 and 7 kept debug pictures where nothing was said, and never deleted one: here they are kept when asked for.
  const isDebugged = takeFlag(scope, false, "write_debug_image");
  const color = takeColor(scope, "poly_color");
  return {
    showPercent: takeFlag(scope, false, "show_percent"),
    showModels: takeFlag(scope, false, "show_models"),
    showFrameMark: takeFlag(scope, true, "show_frame_match_type"),
    writeImageToZm: takeFlag(scope, true, "write_image_to_zm"),
    debugFolder: isDebugged
      ? resolvePath(dirname(reading.file.path), takeText(scope, "image_path") ?? IMAGES)
      : null,
    drawPolygons: true,
    polygonColor: color ?? [255, 255, 255],
    polygonThickness: takeNumber(scope, { min: 0, max: 50, isWhole: true }, "poly_thickness") ?? 2,
    animation: animationOf(scope),
  };
}

const IMAGES = "/var/lib/zmeventnotification/images";

/** Written blue, green, red, as OpenCV has them. */
export function takeColor(
  scope: Scope,
  key: string,
): readonly [red: number, green: number, blue: number] | null {
  const value = find(scope, key);
  if (value === null) return null;
  const parts = takeWords(scope, key)?.map((word) => (/^\d{1,3}$/.test(word) ? Number(word) : 256));
  const [blue, green, red] = parts ?? [];
  const isColor = parts?.length === 3 && parts.every((part) => part <= 255);
  if (isColor && red !== undefined && green !== undefined && blue !== undefined) return [red, green, blue];
  complain(scope.reading, value, "a color is written as (blue,green,red), each from 0 to 255");
  return null;
}

function animationOf(scope: Scope): AnimationSettings | null {
  if (!takeFlag(scope, false, "create_animation")) return null;
  const words = takeWords(scope, "animation_types") ?? ["mp4"];
  const types = (["mp4", "gif"] as const).filter((type) => words.some((word) => word.toLowerCase() === type));
  const value = find(scope, "animation_types");
  if (value !== null && types.length < words.length)
    complain(scope.reading, value, "animations are mp4, gif, or mp4,gif");
  return {
    types,
    width: takeNumber(scope, { min: 32, max: 16_384, isWhole: true }, "animation_width") ?? 400,
    isFastGif: takeFlag(scope, false, "fast_gif"),
    maxTries: takeNumber(scope, { min: 1, max: 100, isWhole: true }, "animation_max_tries") ?? 3,
    retryMs: takeSeconds(scope, 15_000, "animation_retry_sleep"),
  };
}
