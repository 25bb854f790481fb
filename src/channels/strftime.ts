// Writes a moment as strftime(3) does in the C locale, local time; conversions and flags as glibc has them.

/**
 * The moment (ms since 1970) in the given format. Never throws: an unknown conversion stays as it is written.
 * The flags `-`, `_`, `0`, `^` and `#` are understood; the modifiers E and O change nothing in the C locale.
 */
export function strftime(format: string, moment: number): string {
  const date = new Date(moment);
  return format.replace(/%([-_0^#]*)[EO]?([A-Za-z%])/g, (whole, flags: string, letter: string) => {
    const convert = CONVERSIONS[letter];
    return convert === undefined ? whole : flagged(convert(date), flags);
  });
}

/** A number with its usual padding, or a text, or another format. */
type Converted =
  | { readonly number: number; readonly width: number; readonly pad: "0" | " " }
  | { readonly text: string };

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ["January", "February", "March", "April", "May", "June"],
  ["July", "August", "September", "October", "November", "December"],
].flat();
const DAY_MS = 86_400_000;

const CONVERSIONS: Readonly<Record<string, (date: Date) => Converted>> = {
  a: (date) => text(dayName(date).slice(0, 3)),
  A: (date) => text(dayName(date)),
  b: (date) => text(monthName(date).slice(0, 3)),
  B: (date) => text(monthName(date)),
  c: as("%a %b %e %H:%M:%S %Y"),
  C: (date) => padded(Math.floor(date.getFullYear() / 100), 2),
  d: (date) => padded(date.getDate(), 2),
  D: as("%m/%d/%y"),
  e: (date) => padded(date.getDate(), 2, " "),
  F: as("%Y-%m-%d"),
  g: (date) => padded(isoWeek(date).year % 100, 2),
  G: (date) => padded(isoWeek(date).year, 1),
  h: (date) => text(monthName(date).slice(0, 3)),
  H: (date) => padded(date.getHours(), 2),
  I: (date) => padded(twelve(date), 2),
  j: (date) => padded(dayOfYear(date) + 1, 3),
  k: (date) => padded(date.getHours(), 2, " "),
  l: (date) => padded(twelve(date), 2, " "),
  m: (date) => padded(date.getMonth() + 1, 2),
  M: (date) => padded(date.getMinutes(), 2),
  n: () => text("\n"),
  p: (date) => text(date.getHours() < 12 ? "AM" : "PM"),
  P: (date) => text(date.getHours() < 12 ? "am" : "pm"),
  r: as("%I:%M:%S %p"),
  R: as("%H:%M"),
  s: (date) => padded(Math.floor(date.getTime() / 1000), 1),
  S: (date) => padded(date.getSeconds(), 2),
  t: () => text("\t"),
  T: as("%H:%M:%S"),
  u: (date) => padded(date.getDay() || 7, 1),
  U: (date) => padded(Math.floor((dayOfYear(date) + 7 - date.getDay()) / 7), 2),
  V: (date) => padded(isoWeek(date).week, 2),
  w: (date) => padded(date.getDay(), 1),
  W: (date) => padded(Math.floor((dayOfYear(date) + 7 - ((date.getDay() + 6) % 7)) / 7), 2),
  x: as("%m/%d/%y"),
  X: as("%H:%M:%S"),
  y: (date) => padded(date.getFullYear() % 100, 2),
  Y: (date) => padded(date.getFullYear(), 1),
  z: (date) => text(offset(date)),
  Z: (date) => text(zoneName(date)),
  "%": () => text("%"),
};

function text(words: string): Converted {
  return { text: words };
}

function padded(number: number, width: number, pad: "0" | " " = "0"): Converted {
  return { number, width, pad };
}

function as(format: string): (date: Date) => Converted {
  return (date) => text(strftime(format, date.getTime()));
}

function flagged(converted: Converted, flags: string): string {
  if ("text" in converted) return /[\^#]/.test(flags) ? converted.text.toUpperCase() : converted.text;
  if (flags.includes("-")) return String(converted.number);
  const pad = flags.includes("_") ? " " : flags.includes("0") ? "0" : converted.pad;
  return String(converted.number).padStart(converted.width, pad);
}

function dayName(date: Date): string {
  return DAYS[date.getDay()] ?? "";
}

function monthName(date: Date): string {
  return MONTHS[date.getMonth()] ?? "";
}

function twelve(date: Date): number {
  return date.getHours() % 12 || 12;
}

/** From 0; counted in whole days, whatever summer time does to the hours. */
function dayOfYear(date: Date): number {
  const year = date.getFullYear();
  return Math.round((Date.UTC(year, date.getMonth(), date.getDate()) - Date.UTC(year, 0, 1)) / DAY_MS);
}

/** ISO 8601: weeks begin on Monday, and the first one holds the first Thursday of the year. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const weekday = (date.getDay() + 6) % 7;
  const thursday = new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate() - weekday + 3));
  const year = thursday.getUTCFullYear();
  return { year, week: 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) };
}

function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  const digits = String(Math.floor(size / 60) * 100 + (size % 60)).padStart(4, "0");
  return `${minutes < 0 ? "-" : "+"}${digits}`;
}

function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}
