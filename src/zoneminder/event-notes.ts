// Writes what a hook found into the notes and tags of an event, and keeps the notes until the event is closed.
import type { EventId } from "../domain/alarm.ts";
import type { Clock } from "../lib/clock.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import type { Queries } from "./database.ts";
import type { SchemaSource } from "./schema.ts";

/** Nothing of it throws or is waited for. */
export interface EventNotes extends Part {
  /**
   * Puts the text in front of the notes of the event, and again once ZoneMinder has closed it: while it is open, zmc
   * writes the notes anew from its own memory (Event::updateNotes, all versions).
   */
  prepend(event: EventId, text: string): void;
  /**
   * Makes the text the notes of the event, as `zm_detect.py --notes` of version 7 does: what begins with "Motion:" stays
   * behind it. Again once the event is closed, as above. Resolves when it was written the first time.
   */
  replace(event: EventId, text: string): Promise<void>;
  /** The names become tags of the event, where ZoneMinder has tags (from 1.37.44). */
  tag(event: EventId, names: readonly string[]): Promise<void>;
}

export interface EventNotesDeps {
  readonly database: Queries;
  readonly schema: SchemaSource;
  /** Whether the event has no end yet; null when nobody can say. */
  readonly isOpen: (event: EventId) => Promise<boolean | null>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lookEveryMs?: number;
}

/** Events are closed within seconds; continuous ones are asked about ever more seldom. */
const LOOK_EVERY_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** After a crash of ZoneMinder an event stays open until zmaudit.pl repairs it. */
const LONGEST_EVENT_MS = 86_400_000;
/** Far more than events that are open at once. */
const MOST_EVENTS = 1_000;
/** ZoneMinder writes the end of an event and its last notes in two statements. */
const LOOKS_AFTER_END = 2;

/** Whole words in their own case: "car" does not stand in "Carport", nor "person" in a zone called "Person". */
const NOTES_IN_WORDS = "CONVERT(CONCAT(' ', COALESCE(Notes, ''), ' ') USING utf8mb4) COLLATE utf8mb4_bin";

const PREPEND = `UPDATE Events SET Notes = CONCAT(?, COALESCE(Notes, '')) WHERE Id = ? AND LOCATE(?, ${NOTES_IN_WORDS}) = 0`;
const REPLACE = `UPDATE Events SET Notes = IF(LOCATE('Motion:', Notes) > 0,
  CONCAT(?, SUBSTRING(Notes, LOCATE('Motion:', Notes))), ?) WHERE Id = ? AND LOCATE(?, COALESCE(Notes, '')) = 0`;

/** What is written, and how; see EventNotes. */
interface Note {
  readonly text: string;
  readonly kind: "prepended" | "replacing";
}

interface Kept {
  readonly notes: Note[];
  readonly since: number;
  nextAt: number;
  closedLooks: number;
}

/** A timer runs only while an event is open. */
export function createEventNotes(deps: EventNotesDeps): EventNotes {
  const { database, schema, isOpen, clock, logger, lookEveryMs = LOOK_EVERY_MS } = deps;
  const open = new Map<EventId, Kept>();
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  return {
    name: "event notes",
    async start() {},
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      timer = null;
    },
    prepend(event, text) {
      if (text.trim() === "" || stopped) return;
      const note: Note = { text, kind: "prepended" };
      void write(event, note);
      keep(event, note);
    },
    async replace(event, text) {
      if (text.trim() === "" || stopped) return;
      const note: Note = { text, kind: "replacing" };
      keep(event, note);
      await write(event, note);
    },
    async tag(event, names) {
      if (names.length > 0 && !stopped) await assign(event, names);
    },
  };

  function keep(event: EventId, note: Note): void {
    const now = clock.monotonic();
    const kept = open.get(event) ?? { notes: [], since: now, nextAt: 0, closedLooks: 0 };
    if (!kept.notes.some(({ text }) => text === note.text)) kept.notes.push(note);
    kept.nextAt = now + lookEveryMs;
    open.set(event, kept);
    for (const oldest of open.keys()) {
      if (open.size <= MOST_EVENTS) break;
      open.delete(oldest);
    }
    schedule();
  }

  function schedule(): void {
    if (timer !== null || open.size === 0 || stopped) return;
    timer = setTimeout(() => {
      timer = null;
      void lookAll().finally(schedule);
    }, lookEveryMs).unref();
  }

  async function lookAll(): Promise<void> {
    const now = clock.monotonic();
    for (const [event, kept] of [...open]) if (kept.nextAt <= now) await look(event, kept, now);
  }

  async function look(event: EventId, kept: Kept, now: number): Promise<void> {
    const age = now - kept.since;
    kept.nextAt = now + Math.min(LONGEST_PAUSE_MS, Math.max(lookEveryMs, age / 10));
    if (age > LONGEST_EVENT_MS) open.delete(event);
    if ((await isOpen(event)) !== false) return;
    for (const note of kept.notes) await write(event, note);
    kept.closedLooks += 1;
    kept.nextAt = now + lookEveryMs;
    if (kept.closedLooks >= LOOKS_AFTER_END) open.delete(event);
  }

  /** In one statement, so that nothing ZoneMinder writes meanwhile is lost; text that is there is not written again. */
  async function write(event: EventId, { text, kind }: Note): Promise<void> {
    const [statement, values] =
      kind === "prepended"
        ? [PREPEND, [`${text} `, event, ` ${text.trim()} `]]
        : [REPLACE, [`${text}| `, text, event, text]];
    try {
      await database.query(statement, values);
    } catch (failure) {
      logger.warn(`The notes of event ${event} could not be written: ${reasonOf(failure)}`);
    }
  }

  async function assign(event: EventId, names: readonly string[]): Promise<void> {
    try {
      const known = await schema();
      if (!known.has("Tags") || !known.has("Events_Tags")) return;
      for (const name of names) {
        await database.query(
          `INSERT INTO Tags (Name, CreateDate, LastAssignedDate) VALUES (?, NOW(), NOW())
           ON DUPLICATE KEY UPDATE LastAssignedDate = NOW()`,
          [name],
        );
        await database.query(
          `INSERT IGNORE INTO Events_Tags (TagId, EventId, AssignedDate)
           SELECT Id, ?, NOW() FROM Tags WHERE Name = ? LIMIT 1`,
          [event, name],
        );
      }
    } catch (failure) {
      logger.warn(`Event ${event} could not be tagged: ${reasonOf(failure)}`);
    }
  }
}
