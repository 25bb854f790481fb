// Which pictures an objectconfig file wants looked at, and where they come from.
import type { FrameSettings, PortalSettings } from "../../domain/detect-settings.ts";
import type { Reading } from "./reading.ts";
import { complain } from "./reading.ts";
import { find, type Scope, scopeOf, takeFlag, takeNumber, takeSeconds, takeText, takeWords } from "./take.ts";

/** Of versions 4 to 7, with `stream_sequence`. */
export function framesOf(reading: Reading): FrameSettings {
  const { values, file } = reading;
  const stream = values.get("stream_sequence");
  const scope = scopeOf(reading, stream?.entries);
  const all = scopeOf(reading, stream?.entries, values);
  const set = frameSet(scope, "frame_set");
  const standard = file.version === 7 ? ["snapshot", "alarm", "1"] : ["snapshot", "alarm"];
  return {
    ...NO_PATIENCE,
    frameSet: set ?? standard,
    waitMs: takeSeconds(all, 0, "wait") + takeSeconds(scope, 0, "delay"),
    maxAttempts: takeNumber(scope, COUNT, "max_attempts") ?? 1,
    sleepBetweenAttemptsMs: takeSeconds(scope, NO_PATIENCE.sleepBetweenAttemptsMs, "sleep_between_attempts"),
    delayBetweenFramesMs: takeSeconds(scope, 0, "delay_between_frames"),
    delayBetweenSnapshotsMs: takeSeconds(scope, 0, "delay_between_snapshots"),
    contiguousErrors: takeNumber(scope, COUNT, "contig_frames_before_error") ?? NO_PATIENCE.contiguousErrors,
    maxFrames: takeNumber(scope, { ...COUNT, min: 0 }, "max_frames") || null,
    // 7 took yes for granted; its sample says no, and a frame out of the growing video is slow to come by.
    convertSnapshotToFrame: takeFlag(scope, false, "convert_snapshot_to_fid"),
    resizeWidth: resizeWidth(all, file.version === 6 ? WIDTH_OF_6 : null),
    portal: portalOf(reading),
  };
}

/** Of versions 4 to 6 with `use_sequence = no`: one picture, or the better of two. */
export function framesOfOldKeys(reading: Reading): FrameSettings {
  const scope = scopeOf(reading, reading.values);
  return {
    ...NO_PATIENCE,
    frameSet: oldFrameSet(scope, "snapshot", "a,s"),
    waitMs: takeSeconds(scope, 0, "wait"),
    resizeWidth: resizeWidth(scope, null),
    portal: portalOf(reading),
  };
}

/** `frame_id` and `bestmatch_order`; the latter came with version 4. */
export function oldFrameSet(scope: Scope, standard: string, order: string): readonly string[] {
  const frame = takeText(scope, "frame_id")?.toLowerCase() ?? standard;
  if (frame !== "bestmatch") {
    const value = find(scope, "frame_id");
    if (value !== null && !isFrame(frame)) complain(scope.reading, value, NO_FRAME);
    return [frame];
  }
  const letters = takeWords(scope, "bestmatch_order") ?? order.split(",");
  return letters.map((letter) => (letter.startsWith("s") ? "snapshot" : "alarm"));
}

/** The width, null: as they are. */
export function resizeWidth(scope: Scope, standard: number | null): number | null {
  const value = find(scope, "resize");
  const text = takeText(scope, "resize");
  // Set to nothing, it is off.
  if (value === null) return scope.places.some((place) => place.has("resize")) ? null : standard;
  if (text === null || /^(no|none|false|0)$/i.test(text)) return null;
  return takeNumber(scope, { min: 32, max: 16_384, isWhole: true }, "resize");
}

/** Null where none is configured. */
export function portalOf(reading: Reading): PortalSettings | null {
  const scope = scopeOf(reading, reading.values);
  const [url, apiUrl] = [takeText(scope, "portal"), takeText(scope, "api_portal")];
  const [user, password] = [takeText(scope, "user"), takeText(scope, "password")];
  const allowSelfSigned = takeFlag(scope, true, "allow_self_signed");
  return url === null ? null : { url, apiUrl, user, password, allowSelfSigned };
}

/** As the original has them where nothing is said. */
export const NO_PATIENCE: Omit<FrameSettings, "frameSet"> = {
  isBestMatch: true,
  waitMs: 0,
  maxAttempts: 1,
  sleepBetweenAttemptsMs: 3000,
  delayBetweenFramesMs: 0,
  delayBetweenSnapshotsMs: 0,
  contiguousErrors: 5,
  maxFrames: null,
  convertSnapshotToFrame: false,
  resizeWidth: null,
  portal: null,
};

const COUNT = { min: 1, max: 1000, isWhole: true };
const WIDTH_OF_6 = 800;
const NO_FRAME = "it is no picture: use snapshot, alarm, or the number of a frame";

function frameSet(scope: Scope, key: string): readonly string[] | null {
  const words = takeWords(scope, key)?.map((word) => word.toLowerCase()) ?? null;
  const value = find(scope, key);
  if (words === null || value === null || words.length === 0) return null;
  if (!words.every(isFrame)) complain(scope.reading, value, NO_FRAME);
  return words;
}

function isFrame(word: string): boolean {
  return word === "snapshot" || word === "alarm" || /^[1-9]\d{0,9}$/.test(word);
}
