// The history and the outbox as another process sees them: beside a running server, in the same file.
import type { Alarm } from "../domain/alarm.ts";
import type { AlarmRecord, DeliveryRecord, DeliveryState, SocketCounts } from "../domain/history.ts";
import type { ChannelName } from "../domain/notice.ts";
import type { Refusal, Verdict } from "../domain/policy.ts";
import { type Database, openAsIs, openForReading } from "./database.ts";

/** A notice that waits or was given up, with its alarm. */
interface ListedNotice {
  readonly alarm: Alarm;
  readonly delivery: DeliveryRecord;
}

export interface HistoryFile {
  /** What was decided about the alarms of an event, the oldest first. */
  alarmsOfEvent(event: number): readonly AlarmRecord[];
  /** What was decided about the alarms that began last, the oldest first. */
  lastAlarms(limit: number): readonly AlarmRecord[];
  /** What the server keeps under that name; null when it is not there. */
  fact(key: string): unknown;
  /** The notices that wait or were given up, the oldest first. */
  outbox(limit: number): readonly ListedNotice[];
  counts(): { readonly pending: number; readonly dead: number };
  /** Sends it again, at once and for as long as its channel tries (ms); null: every one that was given up. */
  retry(id: number | null, now: number, lifetimes: ReadonlyMap<ChannelName, number>): number;
  /** Gives up a notice that waits, or forgets one that was given up. */
  drop(id: number, now: number): number;
  close(): void;
}

/** Opens the file; throws what SQLite or the system says. Without `write` nothing in it can be changed. */
export function openHistory(path: string, { write }: { readonly write: boolean }): HistoryFile {
  const database = write ? openAsIs(path) : openForReading(path);
  return {
    alarmsOfEvent: (event) => records(database, "WHERE event = ? ORDER BY id", event),
    lastAlarms: (limit) =>
      records(database, "WHERE phase = 'started' ORDER BY id DESC LIMIT ?", limit).toReversed(),
    fact(key) {
      const row = database.prepare("SELECT value FROM facts WHERE key = ?").get(key);
      return row === undefined ? null : JSON.parse(String(row.value));
    },
    outbox: (limit) => outbox(database, limit),
    counts() {
      const count = (state: DeliveryState) =>
        Number(database.prepare(`SELECT count(*) AS n FROM deliveries WHERE state = '${state}'`).get()?.n);
      return { pending: count("pending"), dead: count("dead") };
    },
    retry(id, now, lifetimes) {
      const which = id === null ? "state = 'dead'" : "id = ? AND state <> 'refused' AND state <> 'delivered'";
      const update = database.prepare(
        `UPDATE deliveries SET state = 'pending', ended_at = NULL, words = '', attempts = 0,
           due_at = ?, expires_at = ?
         WHERE channel = ? AND ${which}`,
      );
      let done = 0;
      for (const [channel, lifetime] of lifetimes) {
        done += Number(update.run(now, now + lifetime, channel, ...(id === null ? [] : [id])).changes);
      }
      return done;
    },
    drop(id, now) {
      const done = database
        .prepare(
          `UPDATE deliveries SET state = 'dropped', words = 'dropped by hand', ended_at = ?
           WHERE id = ? AND state IN ('pending', 'dead')`,
        )
        .run(now, id);
      return Number(done.changes);
    },
    close: () => database.close(),
  };
}

function records(database: Database, which: string, value: number): readonly AlarmRecord[] {
  const deliveries = database.prepare("SELECT * FROM deliveries WHERE alarm = ? ORDER BY id");
  return database
    .prepare(`SELECT * FROM alarms ${which}`)
    .all(value)
    .map((row) => ({
      alarm: JSON.parse(String(row.alarm)) as Alarm,
      withheld: row.withheld === "repeat" ? "repeat" : null,
      // Absent in a file that an older program made and this one only reads.
      found: typeof row.found === "string" ? (JSON.parse(row.found) as string[]) : [],
      sockets: typeof row.sockets === "string" ? (JSON.parse(row.sockets) as SocketCounts) : null,
      deliveries: deliveries.all(Number(row.id)).map(deliveryFrom),
    }));
}

function outbox(database: Database, limit: number): readonly ListedNotice[] {
  return database
    .prepare(
      `SELECT d.*, a.alarm AS alarm_text FROM deliveries d JOIN alarms a ON a.id = d.alarm
       WHERE d.id IN (SELECT id FROM deliveries WHERE state = 'pending'
                      UNION ALL SELECT id FROM deliveries WHERE state = 'dead')
       ORDER BY d.id LIMIT ?`,
    )
    .all(limit)
    .map((row) => ({
      alarm: JSON.parse(String(row.alarm_text)) as Alarm,
      delivery: deliveryFrom(row),
    }));
}

/** A row that the store itself wrote. */
function deliveryFrom(row: Readonly<Record<string, unknown>>): DeliveryRecord {
  return {
    id: Number(row.id),
    channel: row.channel as ChannelName,
    label: String(row.label),
    state: row.state as DeliveryState,
    reason: row.reason as Refusal | null,
    trace: JSON.parse(String(row.trace)) as Verdict["trace"],
    words: String(row.words),
    attempts: Number(row.attempts),
    createdAt: Number(row.created_at),
    dueAt: Number(row.due_at),
    expiresAt: Number(row.expires_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
  };
}
