// Reads the command line of `zmes rules`; what belongs to every command is left over.
import type { RuleChannel } from "../../domain/rules.ts";

export interface RulesOptions {
  readonly monitor: number | null;
  /** ms since 1970 */
  readonly at: number;
  /** Something to say about that moment; null: it is an ordinary one. */
  readonly remark: string | null;
  readonly cause: string;
  readonly channel: RuleChannel | null;
  readonly device: string | null;
  readonly groups: readonly string[];
  readonly last: number;
  readonly file: string | null;
  readonly rest: readonly string[];
}

const NAMES = ["monitor", "at", "cause", "channel", "device", "group", "last", "file"] as const;
type Name = (typeof NAMES)[number];

/** The options, or what is wrong with the call. `now` in ms since 1970. */
export function parseRulesOptions(argv: readonly string[], now: number): RulesOptions | string {
  const { given, rest, missing } = takeOptions(argv);
  if (missing !== null) return `--${missing} needs a value.`;
  const lastOf = (name: Name) => given.get(name)?.at(-1) ?? null;
  const moment = parseMoment(lastOf("at"), now);
  const monitor = lastOf("monitor");
  const last = lastOf("last") ?? "50";
  const channel = lastOf("channel");
  if (moment === null) return '--at takes a local time such as "2026-03-29 02:30" or "02:30".';
  if (monitor !== null && !/^[1-9]\d{0,8}$/.test(monitor)) return "--monitor takes the number of a monitor.";
  if (!/^[1-9]\d{0,5}$/.test(last)) return "--last takes a number from 1 to 999999.";
  if (channel !== null && !Object.hasOwn(CHANNELS, channel)) return "--channel takes web, fcm, mqtt or api.";
  return {
    ...moment,
    monitor: monitor === null ? null : Number(monitor),
    cause: lastOf("cause") ?? "",
    channel: channel === null ? null : (CHANNELS[channel] ?? null),
    device: lastOf("device")?.replace(/^\.+/, "") ?? null,
    groups: given.get("group") ?? [],
    last: Number(last),
    file: lastOf("file"),
    rest,
  };
}

/** Channels by the words that the rules have for them. */
export const CHANNELS: Readonly<Record<string, RuleChannel>> = {
  web: "web",
  fcm: "fcm",
  mqtt: "mqtt",
  api: "script",
};

function takeOptions(argv: readonly string[]) {
  const given = new Map<Name, string[]>();
  const rest: string[] = [];
  let missing: Name | null = null;
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const typed = word;
    const name = NAMES.find((each) => typed === `--${each}` || typed.startsWith(`--${each}=`));
    if (name === undefined) {
      rest.push(word);
      // The value of an option that is not ours, whatever it looks like.
      if (word === "--config" && words.length > 0) rest.push(words.shift() ?? "");
      continue;
    }
    const value = word.includes("=") ? word.slice(word.indexOf("=") + 1) : words.shift();
    if (value === undefined) missing ??= name;
    else given.set(name, [...(given.get(name) ?? []), value]);
  }
  return { given, rest, missing };
}

/** A time that the clocks leave out in spring is taken as what they show instead. */
function parseMoment(text: string | null, now: number): Pick<RulesOptions, "at" | "remark"> | null {
  if (text === null) return { at: now, remark: null };
  const match = /^\s*(?:(\d{4})-(\d\d?)-(\d\d?)[ T]+)?(\d\d?):(\d\d)(?::(\d\d))?\s*$/.exec(text);
  if (!match) return null;
  const [year, month, day, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const today = new Date(now);
  const wanted = [
    year ?? today.getFullYear(),
    month === undefined ? today.getMonth() : month - 1,
    day ?? today.getDate(),
  ] as const;
  const date = new Date(...wanted, hour, minute, second);
  const isDay = date.getMonth() === wanted[1] && date.getDate() === wanted[2];
  if (hour > 23 || minute > 59 || second > 59 || !isDay) return null;
  const isShown = date.getHours() === hour && date.getMinutes() === minute;
  const remark = isShown ? null : "The clocks leave this time out; it is taken as what they show instead.";
  return { at: date.getTime(), remark };
}
