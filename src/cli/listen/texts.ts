// The lines that `zmes listen` prints.
import type { Clock } from "../../lib/clock.ts";
import type { AlarmEvent } from "./session.ts";

/** "04:12:08.123 Garage (monitor 2): Motion All, event 5060" */
export function alarmLine(event: AlarmEvent, clock: Clock): string {
  const number = event.EventId === "0" || event.EventId === "" ? "no event" : `event ${event.EventId}`;
  const late = event.Late === "true" ? " (late)" : "";
  const what = `${event.Name} (monitor ${event.MonitorId}): ${event.Cause || "Alarm"}, ${number}${late}`;
  return `${timeOfDay(clock.now())} ${printable(what)}\n`;
}

/** A monitor that the server tells this user of. */
export interface KnownMonitor {
  readonly MonitorId: string;
  readonly Name: string;
}

/** Why monitors that were asked for will be silent, and which others there are. */
export function missingText(
  missing: readonly string[],
  known: readonly KnownMonitor[],
  user: string,
): string {
  const which = missing.length === 1 ? `monitor ${missing[0]}` : `monitors ${missing.join(", ")}`;
  const names = known.map(({ MonitorId, Name }) => `${MonitorId} ${Name}`).join(", ");
  return printable(
    `No alarms can come from ${which}: the server watches none of that number, or ${user} may not see it in ZoneMinder. ` +
      (names === "" ? `There is none that ${user} may see.` : `There are: ${names}.`),
  );
}

/** Local time with milliseconds. */
export function timeOfDay(now: number): string {
  const date = new Date(now);
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** The event as the server sent it, with the moment it came. */
export function jsonLine(event: AlarmEvent, clock: Clock): string {
  const json = JSON.stringify({ ReceivedAt: new Date(clock.now()).toISOString(), ...event });
  // JSON leaves these as they are, and the second half of them are commands to a terminal.
  return `${json.replace(/[\u007f-\u009f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`)}\n`;
}

/** What a server sends must not move the cursor or colour the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
