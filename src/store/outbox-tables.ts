// The SQL of the outbox and the history, as the store's thread runs it.
import type { Database } from "./database.ts";
import type { BacklogRow, DecisionRow, OutcomeRow, PendingRow, SocketsRow, StartRow } from "./messages.ts";

/** Writes alarms with one row per recipient; gives the numbers of the rows to be delivered, per decision. */
export function insertDecisions(to: Database, decisions: readonly DecisionRow[]): number[][] {
  const alarm = to.prepare(
    "INSERT INTO alarms (key, phase, event, seen_at, alarm, withheld, found) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const delivery = to.prepare(
    `INSERT INTO deliveries (alarm, channel, recipient, label, trace, state, reason, words, attempts,
       created_at, due_at, expires_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, ?, ?, ?, ?)`,
  );
  return decisions.map(({ key, phase, event, seenAt, alarm: text, withheld, found, deliveries }) => {
    const parent = alarm.run(key, phase, event, seenAt, text, withheld, found).lastInsertRowid;
    const pending: number[] = [];
    for (const { channel, recipient, label, trace, reason, at, expiresAt } of deliveries) {
      const [state, ended] = reason === null ? ["pending", null] : ["refused", at];
      const row = delivery.run(
        parent,
        channel,
        recipient,
        label,
        trace,
        state,
        reason,
        at,
        at,
        expiresAt,
        ended,
      );
      if (reason === null) pending.push(Number(row.lastInsertRowid));
    }
    return pending;
  });
}

/** Notes what came of attempts; what a person dropped meanwhile stays dropped unless it was delivered after all. */
export function noteOutcomes(to: Database, outcomes: readonly OutcomeRow[]): void {
  const update = to.prepare(
    `UPDATE deliveries SET state = ?, words = ?, attempts = ?, due_at = ?, ended_at = ?
     WHERE id = ? AND created_at = ? AND (state = 'pending' OR ? = 'delivered')`,
  );
  for (const { id, createdAt, state, words, attempts, at, dueAt } of outcomes)
    update.run(state, words, attempts, dueAt, state === "pending" ? null : at, id, createdAt, state);
}

/** Adds to the counts of the alarm's newest row: a client that comes back late is told after the others. */
export function addSockets(to: Database, rows: readonly SocketsRow[]): void {
  const find = to.prepare(
    "SELECT id, sockets FROM alarms WHERE key = ? AND phase = ? ORDER BY id DESC LIMIT 1",
  );
  const update = to.prepare("UPDATE alarms SET sockets = ? WHERE id = ?");
  for (const { key, phase, counts } of rows) {
    const row = find.get(key, phase);
    if (row !== undefined) update.run(summed(row.sockets, counts), Number(row.id));
  }
}

/** Everybody for whom something is pending. */
export function backlog(from: Database): readonly BacklogRow[] {
  const rows = from
    .prepare(
      `SELECT channel, recipient, count(*) AS count FROM deliveries WHERE state = 'pending'
       GROUP BY channel, recipient ORDER BY min(id)`,
    )
    .all();
  return rows.map((row) => ({
    channel: String(row.channel),
    recipient: String(row.recipient),
    count: Number(row.count),
  }));
}

/** The oldest pending notices of one recipient. */
export function pendingOf(
  from: Database,
  of: {
    readonly channel: string;
    readonly recipient: string;
    readonly except: readonly number[];
    readonly limit: number;
  },
): readonly PendingRow[] {
  const rows = from
    .prepare(
      `SELECT d.id, a.alarm, d.trace, d.attempts, d.created_at, d.due_at, d.expires_at
       FROM deliveries d JOIN alarms a ON a.id = d.alarm
       WHERE d.state = 'pending' AND d.channel = ? AND d.recipient = ?
         AND d.id NOT IN (SELECT value FROM json_each(?))
       ORDER BY d.id LIMIT ?`,
    )
    .all(of.channel, of.recipient, JSON.stringify(of.except), of.limit);
  return rows.map((row) => ({
    id: Number(row.id),
    alarm: String(row.alarm),
    trace: String(row.trace),
    attempts: Number(row.attempts),
    createdAt: Number(row.created_at),
    dueAt: Number(row.due_at),
    expiresAt: Number(row.expires_at),
  }));
}

/**
 * The newest beginning of the alarm, as it was last told, with everybody who was refused and not told with its update;
 * null when none was noted.
 */
export function startOf(from: Database, key: string): StartRow | null {
  const row = from
    .prepare(
      `SELECT id, alarm, withheld FROM alarms WHERE key = ? AND phase = 'started' ORDER BY id DESC LIMIT 1`,
    )
    .get(key);
  if (row === undefined) return null;
  const update = from
    .prepare(
      "SELECT id, alarm FROM alarms WHERE key = ? AND phase = 'updated' AND id > ? ORDER BY id DESC LIMIT 1",
    )
    .get(key, Number(row.id));
  const refused = from
    .prepare(
      `SELECT recipient, reason FROM deliveries WHERE alarm = ? AND reason IS NOT NULL
         AND recipient NOT IN (SELECT recipient FROM deliveries WHERE alarm = ? AND reason IS NULL)`,
    )
    .all(Number(row.id), Number(update?.id ?? 0))
    .map((each) => ({ recipient: String(each.recipient), reason: String(each.reason) }));
  return {
    alarm: String(update?.alarm ?? row.alarm),
    withheld: row.withheld === null ? null : String(row.withheld),
    refused,
  };
}

/** Of these rows, those that are still pending, with the moment of their next attempt. */
export function stillDue(from: Database, ids: readonly number[]): readonly (readonly [number, number])[] {
  const rows = from
    .prepare(
      `SELECT id, due_at FROM deliveries
       WHERE id IN (SELECT value FROM json_each(?)) AND state = 'pending'`,
    )
    .all(JSON.stringify(ids));
  return rows.map((row) => [Number(row.id), Number(row.due_at)] as const);
}

/** Gives up everything pending for a recipient that no longer exists. */
export function drop(
  to: Database,
  of: { readonly channel: string; readonly recipient: string; readonly words: string; readonly at: number },
): number {
  const done = to
    .prepare(
      `UPDATE deliveries SET state = 'dropped', words = ?, ended_at = ?
       WHERE state = 'pending' AND channel = ? AND recipient = ?`,
    )
    .run(of.words, of.at, of.channel, of.recipient);
  return Number(done.changes);
}

/** Records pending notices as expired, oldest first; gives how many. */
export function expire(to: Database, now: number, limit: number): number {
  const done = to
    .prepare(
      `UPDATE deliveries SET state = 'expired', ended_at = ?
       WHERE id IN (SELECT id FROM deliveries WHERE state = 'pending' AND expires_at <= ? LIMIT ?)`,
    )
    .run(now, now, limit);
  return Number(done.changes);
}

/** Deletes at most so many rows of alarms that are older than that; gives how many. */
export function prune(to: Database, before: number, limit: number): number {
  const deliveries = to
    .prepare(
      `DELETE FROM deliveries WHERE id IN (
         SELECT d.id FROM alarms a JOIN deliveries d ON d.alarm = a.id
         WHERE a.seen_at < ? AND d.state <> 'pending' LIMIT ?)`,
    )
    .run(before, limit);
  const alarms = to
    .prepare(
      `DELETE FROM alarms WHERE id IN (
         SELECT id FROM alarms WHERE seen_at < ?
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.alarm = alarms.id) LIMIT ?)`,
    )
    .run(before, limit);
  return Number(deliveries.changes) + Number(alarms.changes);
}

function summed(before: unknown, added: string): string {
  if (typeof before !== "string") return added;
  const [old, more] = [counts(before), counts(added)];
  const refused = { ...old.refused };
  for (const [reason, count] of Object.entries(more.refused))
    refused[reason] = (refused[reason] ?? 0) + count;
  return JSON.stringify({ told: old.told + more.told, refused });
}

function counts(text: string): { readonly told: number; readonly refused: Record<string, number> } {
  return JSON.parse(text) as { readonly told: number; readonly refused: Record<string, number> };
}
