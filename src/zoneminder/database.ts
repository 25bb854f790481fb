// The connection to ZoneMinder's database: a small pool that may be absent at start and may go away at any time.
import { createPool, type Pool, type PoolConnection } from "mysql2/promise";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { isConnectionTrouble, poolOptions, reasonOf } from "./database-connection.ts";
import { type DatabaseTarget, describeTarget } from "./database-target.ts";

export type SqlValue = string | number | null;

/** What the other files of this room need of the database. */
export interface Queries {
  /** Runs one statement with `?` placeholders. Throws DatabaseUnavailable when the database cannot be reached. */
  query<Row>(sql: string, params?: readonly SqlValue[]): Promise<Row[]>;
}

export interface Database extends Part, Queries {
  /** True after a query succeeded, false after one could not reach the database, null before the first. */
  isUp(): boolean | null;
  /** Calls the listener each time the database goes away (false) or answers (again) (true). */
  onStateChange(listener: (up: boolean) => void): void;
}

/** The database did not answer: nothing is known about the question that was asked. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
}

/** Longer than any healthy query of ours takes, shorter than the patience of a client that logs in. */
const QUERY_TIMEOUT_MS = 5000;
/** While away: first probe after half a second, because a restart takes about that, then ever more seldom. */
const FIRST_PROBE_MS = 500;
const LAST_PROBE_MS = 10_000;
/** A pool that does not close politely within this time is cut off. */
const CLOSE_MS = 1000;

/** Builds the part; nothing is connected before `start`, and `start` does not wait for the database. */
export function createDatabase(target: DatabaseTarget, deps: { logger: Logger; clock: Clock }): Database {
  return new ZmDatabase(target, deps.logger, deps.clock);
}

class ZmDatabase implements Database {
  readonly name = "database";
  private readonly target: DatabaseTarget;
  private readonly log: Logger;
  private readonly clock: Clock;
  private readonly listeners: ((up: boolean) => void)[] = [];
  private readonly connections = new Set<PoolConnection>();
  private pool: Pool | null = null;
  private closing: Promise<void> | null = null;
  private stopped = false;
  private up: boolean | null = null;
  private downSince = 0;
  private probeTimer: NodeJS.Timeout | null = null;
  private probeDelay = FIRST_PROBE_MS;

  constructor(target: DatabaseTarget, log: Logger, clock: Clock) {
    this.target = target;
    this.log = log;
    this.clock = clock;
  }

  isUp(): boolean | null {
    return this.up;
  }

  onStateChange(listener: (up: boolean) => void): void {
    this.listeners.push(listener);
  }

  async start(): Promise<void> {
    this.probe();
  }

  stop(): Promise<void> {
    this.stopped = true;
    this.closing ??= this.close();
    return this.closing;
  }

  async query<Row>(sql: string, params: readonly SqlValue[] = []): Promise<Row[]> {
    try {
      const rows = await this.ask<Row>(sql, params);
      this.noteUp();
      return rows;
    } catch (error) {
      if (!isConnectionTrouble(error)) {
        this.noteUp(); // A statement the server refused (a missing column, say) proves that it is there.
        throw error;
      }
      const reason = reasonOf(error);
      this.noteDown(reason);
      throw new DatabaseUnavailable(`The database does not answer: ${reason}.`);
    }
  }

  /** One attempt, and another one for each connection kept from earlier that turns out to be dead. */
  private async ask<Row>(sql: string, params: readonly SqlValue[]): Promise<Row[]> {
    const deadline = this.clock.monotonic() + QUERY_TIMEOUT_MS;
    let kept = /^\s*SELECT\b/i.test(sql) ? this.connections.size : 0;
    for (;;) {
      try {
        return await this.attempt<Row>(sql, params, deadline);
      } catch (error) {
        if (kept-- <= 0 || !isConnectionTrouble(error) || error instanceof TimeoutError) throw error;
      }
    }
  }

  private async attempt<Row>(sql: string, params: readonly SqlValue[], deadline: number): Promise<Row[]> {
    const left = () => Math.max(1, deadline - this.clock.monotonic());
    const pending = this.openPool().getConnection();
    const connection = await withTimeout(pending, left()).catch((error: unknown) => {
      // When it comes after all, it goes back to the pool instead of being lost to it.
      pending.then((late) => late.release()).catch(() => undefined);
      // Whatever the server says at its door (a locked account, say), nothing was asked yet: it is not there for us.
      throw error instanceof TimeoutError ? error : new RefusedError(reasonOf(error), { cause: error });
    });
    try {
      // A prepared statement: values never become part of the text, whatever sql_mode the server has. Numbers go as
      // text because the driver would send them as DOUBLE, which is not exact for large ids.
      const values = params.map((value) => (typeof value === "number" ? String(value) : value));
      const [rows] = await withTimeout(connection.execute(sql, values), left());
      connection.release();
      return rows as Row[];
    } catch (error) {
      if (isConnectionTrouble(error)) connection.destroy();
      else connection.release();
      throw error;
    }
  }

  private openPool(): Pool {
    if (this.stopped) throw new TimeoutError("zmes is stopping");
    if (this.pool) return this.pool;
    const pool = createPool(poolOptions(this.target, QUERY_TIMEOUT_MS));
    pool.on("connection", (callbackConnection) => {
      const connection = callbackConnection as unknown as PoolConnection;
      this.connections.add(connection);
      // An idle connection that breaks is the first sign of a database that went away.
      const onGone = () => {
        if (this.connections.delete(connection) && this.up) this.probe();
      };
      connection.on("error", onGone);
      connection.on("end", onGone);
    });
    this.pool = pool;
    return pool;
  }

  private probe(): void {
    // The outcome, good or bad, is noted by query() itself.
    this.query("SELECT 1").catch(() => undefined);
  }

  private noteUp(): void {
    if (this.up === true || this.stopped) return;
    const wasDown = this.up === false;
    this.up = true;
    this.cancelProbe();
    this.probeDelay = FIRST_PROBE_MS;
    const seconds = Math.round((this.clock.monotonic() - this.downSince) / 1000);
    if (wasDown) this.log.info(`The database is back after ${seconds} s (${describeTarget(this.target)}).`);
    else this.log.info(`Connected to the database ${describeTarget(this.target)}.`);
    for (const listener of this.listeners) listener(true);
  }

  private noteDown(reason: string): void {
    if (this.stopped) return;
    if (this.up !== false) {
      const first = this.up === null;
      this.up = false;
      this.downSince = this.clock.monotonic();
      this.log.warn(
        `${first ? "Cannot reach" : "Lost"} the database ${describeTarget(this.target)}: ${reason}. ` +
          "Cameras are watched all the same; it is tried again until it answers.",
      );
      for (const listener of this.listeners) listener(false);
    }
    this.probeLater();
  }

  private probeLater(): void {
    if (this.probeTimer || this.stopped) return;
    this.probeTimer = setTimeout(() => {
      this.probeTimer = null;
      this.probe();
    }, this.probeDelay);
    this.probeTimer.unref();
    this.probeDelay = Math.min(this.probeDelay * 2, LAST_PROBE_MS);
  }

  private cancelProbe(): void {
    if (this.probeTimer) clearTimeout(this.probeTimer);
    this.probeTimer = null;
  }

  private async close(): Promise<void> {
    this.cancelProbe();
    const pool = this.pool;
    if (!pool) return;
    await withTimeout(pool.end(), CLOSE_MS).catch(() => {
      for (const connection of this.connections) connection.destroy();
    });
  }
}

class TimeoutError extends Error {}
class RefusedError extends Error {}

function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`no answer within ${QUERY_TIMEOUT_MS / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
