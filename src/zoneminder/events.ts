// Looks up what ZoneMinder's database says about one event.
import type { EventId } from "../domain/alarm.ts";
import type { Logger } from "../lib/log.ts";
import { DatabaseUnavailable, type Queries } from "./database.ts";
import type { Schema, SchemaSource } from "./schema.ts";

export interface Events {
  /** `Events.Notes`: causes with their zones, as "Motion: Front, Drive". Null when nobody can say. */
  notes(event: EventId): Promise<string | null>;
  /**
   * Whether the event has no end yet, null when nobody can say. After a crash of ZoneMinder an event stays open until
   * zmaudit.pl repairs it, so true alone does not prove that it is still being recorded.
   */
  isOpen(event: EventId): Promise<boolean | null>;
}

/** Never throws: a database that is away is answered with null. */
export function createEvents(deps: { database: Queries; schema: SchemaSource; logger: Logger }): Events {
  const { database, schema, logger } = deps;

  async function readOne<Row>(event: EventId, columns: (schema: Schema) => string): Promise<Row | null> {
    try {
      const sql = `SELECT ${columns(await schema())} FROM Events WHERE Id = ?`;
      return (await database.query<Row>(sql, [event]))[0] ?? null;
    } catch (error) {
      // The database's own state is logged where it changes; anything else is worth a line.
      if (!(error instanceof DatabaseUnavailable))
        logger.warn({ err: error }, `Event ${event} could not be read`);
      return null;
    }
  }

  return {
    async notes(event) {
      const row = await readOne<{ Notes: string | null }>(event, () => "Notes");
      return row && (row.Notes ?? "");
    },
    async isOpen(event) {
      const row = await readOne<{ IsOpen: number }>(
        event,
        (known) => `${eventTimes(known).end} IS NULL AS IsOpen`,
      );
      return row && row.IsOpen === 1;
    },
  };
}

/** Names of the columns of begin and end: renamed at 1.35.13. */
export function eventTimes(schema: Schema): { readonly start: string; readonly end: string } {
  const renamed = schema.has("Events", "StartDateTime");
  return renamed ? { start: "StartDateTime", end: "EndDateTime" } : { start: "StartTime", end: "EndTime" };
}
