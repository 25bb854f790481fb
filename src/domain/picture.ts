// Which picture of an alarm is shown, and where somebody else may fetch it.
import type { Alarm } from "./alarm.ts";

/**
 * What `fid` of ZoneMinder's image view names: a frame's number, or one of these. "best" is ours, for BESTMATCH of
 * which nothing is known and for those who name no picture.
 */
export type PictureKind =
  | number
  | "best"
  | "alarm"
  | "snapshot"
  | "objdetect"
  | "objdetect_jpg"
  | "objdetect_gif"
  | "objdetect_mp4";

/** The keys of the section `customize` that are about pictures. */
export interface PictureSettings {
  readonly include_picture: boolean;
  readonly picture_url: string | null;
  readonly picture_portal_username: string | null;
  readonly picture_portal_password: string | null;
}

export interface WantedPicture {
  readonly kind: PictureKind;
  /** In pixels; a smaller picture is not made larger. */
  readonly width: number;
}

/** As wide as a phone shows it; such a JPEG has about 100 kB, and Apple and Google fetch at most 1 MB. */
const USUAL_WIDTH = 800;
const LEAST_WIDTH = 32;
const MOST_WIDTH = 4096;
/** Largest frame number that is believed: a day at 60 frames a second. */
const MOST_FRAMES = 9_999_999;

/** What `picture_url` asks for with `fid` and `width`; without it, the best picture at the usual size. */
export function wantedPicture(template: string | null, alarm: Alarm): WantedPicture {
  const fid = parameter(template ?? "", "fid")?.replaceAll("BESTMATCH", bestMatch(alarm) ?? "best");
  const width = Number(parameter(template ?? "", "width"));
  return {
    kind: kindOf(fid ?? "best"),
    width: Number.isInteger(width) && width >= LEAST_WIDTH && width <= MOST_WIDTH ? width : USUAL_WIDTH,
  };
}

/**
 * The address of the picture at ZoneMinder's portal, or at whatever `picture_url` names. `objectsFound`: whether a
 * hook drew the picture `objdetect`; if not, the snapshot stands in for it, as since version 6.
 */
export function portalPicture(settings: PictureSettings, alarm: Alarm, objectsFound: boolean): string | null {
  const {
    picture_url: template,
    picture_portal_username: user,
    picture_portal_password: password,
  } = settings;
  if (template === null || alarm.eventId === null) return null;
  // Without a hook's word for it, BESTMATCH is the frame that raised the alarm.
  let url = template
    .replaceAll("EVENTID", String(alarm.eventId))
    .replaceAll("BESTMATCH", bestMatch(alarm) ?? "alarm");
  if (!objectsFound) url = url.replace(/objdetect(_[a-z0-9]+)?/g, "snapshot");
  if (user !== null) url += `${joint(url)}username=${encodeURIComponent(user)}`;
  if (password !== null) url += `${joint(url)}password=${encodeURIComponent(password)}`;
  return url;
}

/** True when fetching by this address needs, or gives away, a password or something as good as one. */
export function hasCredentials({
  picture_url,
  picture_portal_username,
  picture_portal_password,
}: Omit<PictureSettings, "include_picture">): boolean {
  if (picture_portal_username !== null || picture_portal_password !== null) return true;
  const [place = "", ...queries] = (picture_url ?? "").split(/[?#]/);
  if (place.includes("@")) return true;
  return queries.some((query) => query.split(/[&;]/).some((part) => isCredential(part.split("=")[0] ?? "")));
}

/** What ZoneMinder's portal and its API take (index.php, api/host/login.json). */
const CREDENTIALS = new Set(["username", "password", "user", "pass", "token", "auth"]);

function isCredential(name: string): boolean {
  const plain = name.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return CREDENTIALS.has(plain.trim().toLowerCase());
}

/** The hook's mark at the beginning of the cause says in which frame it found something; null without one. */
function bestMatch({ cause }: Alarm): "alarm" | "snapshot" | null {
  if (cause.startsWith("[a] ")) return "alarm";
  return cause.startsWith("[s] ") ? "snapshot" : null;
}

function kindOf(fid: string): PictureKind {
  switch (fid) {
    case "alarm":
    case "snapshot":
    case "objdetect":
    case "objdetect_jpg":
    case "objdetect_gif":
    case "objdetect_mp4":
      return fid;
  }
  const frame = /^\d{1,7}$/.test(fid) ? Number(fid) : 0;
  return frame >= 1 && frame <= MOST_FRAMES ? frame : "best";
}

function parameter(url: string, name: string): string | undefined {
  return new RegExp(`[?&]${name}=([\\w.-]+)`).exec(url)?.[1];
}

function joint(url: string): string {
  return url.includes("?") ? "&" : "?";
}
