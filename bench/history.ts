// A history as years of a busy site leave it, written before the daemon opens the file.
import type { Alarm } from "../src/domain/alarm.ts";
import { alarmId } from "../src/domain/alarm.ts";
import { openDatabase } from "../src/store/database.ts";
import type { DecisionRow } from "../src/store/messages.ts";
import { insertDecisions, noteOutcomes } from "../src/store/outbox-tables.ts";

/** Rows of each alarm: one for each recipient. */
const RECIPIENTS = 20;
/** All of it within what is kept by default. */
const DAYS = 13;
const DAY_MS = 86_400_000;

/** Writes so many rows of recipients, delivered, with their alarms. */
export function fillHistory(path: string, rows: number, now: number): void {
  const database = openDatabase(path);
  const alarms = Math.ceil(rows / RECIPIENTS);
  database.exec("BEGIN");
  for (let index = 0; index < alarms; index++) {
    const at = now - DAYS * DAY_MS + Math.floor((index / alarms) * DAYS * DAY_MS);
    const ids = insertDecisions(database, [decision(index + 1, at)])[0] ?? [];
    const outcome = {
      createdAt: at,
      state: "delivered",
      words: "accepted by FCM",
      attempts: 1,
      at: at + 100,
      dueAt: at,
    };
    noteOutcomes(
      database,
      ids.map((id) => ({ id, ...outcome })),
    );
  }
  database.exec("COMMIT");
  database.close();
}

function decision(event: number, at: number): DecisionRow {
  const monitor = { id: 1 + (event % 64), name: "Camera", recording: "on-motion", closesEventOnAlarm: false };
  const eventId = event as NonNullable<Alarm["eventId"]>;
  const id = alarmId(monitor.id as Alarm["monitor"]["id"], eventId, 1, at);
  const alarm = {
    id,
    monitor,
    eventId,
    edge: 1,
    phase: "started",
    cause: "Motion All",
    seenAt: at,
    late: false,
  };
  const expiresAt = at + 3_600_000;
  return {
    key: id,
    phase: "started",
    event,
    seenAt: at,
    alarm: JSON.stringify(alarm),
    withheld: null,
    found: null,
    deliveries: Array.from({ length: RECIPIENTS }, (_, index) => ({
      channel: "fcm",
      recipient: `fcm:${String(index).padStart(16, "0")}`,
      label: `phone ...${index}`,
      trace: "[]",
      reason: null,
      at,
      expiresAt,
    })),
  };
}
