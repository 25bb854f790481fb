// The alarm as clients on a WebSocket read it: the JSON text and its ready-made frame.
import type { Alarm } from "../domain/alarm.ts";

/** One member of `events`. Every value clients concatenate or split is a string, and none is ever null. */
interface AlarmEvent {
  readonly Name: string;
  readonly MonitorName: string;
  readonly MonitorId: string;
  readonly EventId: string;
  readonly Cause: string;
  /** Whatever JSON the hook printed; an empty list when there is none. */
  readonly DetectionJson: unknown;
  readonly RulesObject: { readonly notification_type?: "critical" };
  readonly Late?: "true";
  readonly Picture?: string;
  /** It takes the place of the one before about the same alarm; only for clients that asked for updates. */
  readonly Update?: "true";
}

interface AlarmMessage {
  readonly event: "alarm";
  readonly type: "";
  readonly status: "Success";
  readonly events: readonly [AlarmEvent];
  /** The text, not a boolean: zmNinja compares it with the text and would sound twice. */
  readonly supplementary?: "true";
}

/**
 * One alarm, one message: ioBroker and MisterHouse read only `events[0]`. `status` is needed by zmNinja and
 * zmNinjaNg, `Name` by zmNinja, `MonitorName` (the same text) by zmNinjaNg. The end of an event is told by the
 * prefix `End:`, as since version 5.7 of the original. `picture`: an address, as since version 7; zmNinjaNg shows it.
 */
export function alarmMessage(alarm: Alarm, picture: string | null = null): AlarmMessage {
  const event: AlarmEvent = {
    Name: alarm.monitor.name,
    MonitorName: alarm.monitor.name,
    MonitorId: String(alarm.monitor.id),
    EventId: String(alarm.eventId ?? 0),
    Cause: alarm.phase === "ended" ? `End:${alarm.cause}` : alarm.cause,
    DetectionJson: alarm.hook?.json ?? [],
    RulesObject: alarm.critical ? { notification_type: "critical" } : {},
    ...(alarm.late && { Late: "true" }),
    ...(picture !== null && { Picture: picture }),
    ...(alarm.phase === "updated" && { Update: "true" }),
  };
  return { event: "alarm", type: "", status: "Success", events: [event] };
}

/** The message of an alarm as a whole text frame, ready to be written to any number of sockets. */
export function alarmFrame(alarm: Alarm, picture: string | null = null): Buffer {
  return textFrame(JSON.stringify(alarmMessage(alarm, picture)));
}

/**
 * The same for those whose phone gets a push message as well: zmNinja stays silent on it, and zmNinjaNg, which
 * ignores the push while its socket is open, shows it.
 */
export function supplementaryFrame(alarm: Alarm, picture: string | null = null): Buffer {
  const message: AlarmMessage = { ...alarmMessage(alarm, picture), supplementary: "true" };
  return textFrame(JSON.stringify(message));
}

// RFC 6455, 5.2: FIN and opcode 1 (text); servers never mask. The length takes 1, 3 or 9 bytes.
const FIN_TEXT = 0x81;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;

/** One unfragmented, unmasked text frame. Only for connections without compression. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafeSlow(header + length);
  frame[0] = FIN_TEXT;
  if (header === 2) frame[1] = length;
  else if (header === 4) {
    frame[1] = LENGTH_IN_2_BYTES;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_IN_8_BYTES;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, header);
  return frame;
}
