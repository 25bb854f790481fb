import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventId } from "../../src/domain/alarm.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Database } from "../../src/zoneminder/database.ts";
import { createEventNotes, type EventNotes } from "../../src/zoneminder/event-notes.ts";
import { createEvents } from "../../src/zoneminder/events.ts";
import { createSchemaSource } from "../../src/zoneminder/schema.ts";
import { eid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { type Mariadb, mariadbMayBeSkipped, openDatabase, startMariadb } from "../support/mariadb.ts";
import { recordingLogger } from "../support/server.ts";

/** As ZoneMinder 1.37.44 and later make them. */
const TAG_TABLES = `
  CREATE TABLE Tags (Id bigint unsigned NOT NULL AUTO_INCREMENT, Name varchar(64) CHARACTER SET latin1
    COLLATE latin1_bin NOT NULL DEFAULT '', CreateDate datetime, CreatedBy int unsigned, LastAssignedDate datetime,
    PRIMARY KEY (Id), UNIQUE (Name));
  CREATE TABLE Events_Tags (TagId bigint unsigned NOT NULL, EventId bigint unsigned NOT NULL,
    AssignedDate datetime, AssignedBy int unsigned, PRIMARY KEY (TagId, EventId));`;

describe.skipIf(mariadbMayBeSkipped())("what a hook found", () => {
  let server: Mariadb;
  let database: Database;
  let notes: EventNotes;
  const log: Record<string, unknown>[] = [];

  beforeAll(async () => {
    server = await startMariadb();
    server.createZoneMinder("zm", "1.38");
    server.sql(TAG_TABLES, "zm");
    database = openDatabase(server, "zm");
    const schema = createSchemaSource(database, { files: [], values: new Map() }, systemClock);
    const logger = recordingLogger(log);
    const { isOpen } = createEvents({ database, schema, logger });
    notes = createEventNotes({ database, schema, isOpen, clock: systemClock, logger, lookEveryMs: 50 });
  });
  afterAll(async () => {
    await notes?.stop();
    await database?.stop();
    await server?.stop();
  });

  const insert = (id: number, text: string | null) =>
    server.sql(
      `SET sql_mode = ''; INSERT INTO Events (Id, MonitorId, StartDateTime, Notes, StateId)
       VALUES (${id}, 1, NOW(), ${text === null ? "NULL" : `'${text}'`}, 1)`,
      "zm",
    );
  const set = (id: number, what: string) => server.sql(`UPDATE Events SET ${what} WHERE Id = ${id}`, "zm");
  const read = (id: number) => server.sql(`SELECT Notes FROM Events WHERE Id = ${id}`, "zm").trim();
  const noted = (id: number, text: string) => eventually(() => expect(read(id)).toBe(text));

  it("stands in front of the notes, and again after ZoneMinder overwrote them, once", async () => {
    insert(1, "Motion: All");
    notes.prepend(eid(1), "detected:person");
    await noted(1, "detected:person Motion: All");
    set(1, "Notes = 'Motion: All, Front'");
    set(1, "EndDateTime = NOW()");
    await noted(1, "detected:person Motion: All, Front");
    notes.prepend(eid(1), "detected:person");
    await noted(1, "detected:person Motion: All, Front");
  });

  it("takes the place of the notes where that is asked for, with ZoneMinder's motion behind it", async () => {
    insert(11, "Motion: All");
    await notes.replace(eid(11), "[s] detected:person");
    expect(read(11)).toBe("[s] detected:person| Motion: All");
    set(11, "Notes = 'Motion: All, Front'");
    set(11, "EndDateTime = NOW()");
    await noted(11, "[s] detected:person| Motion: All, Front");
    insert(12, "Forced Web");
    await notes.replace(eid(12), "[s] detected:dog");
    expect(read(12)).toBe("[s] detected:dog");
  });

  it("is not written again where ZoneMinder left it, and text of quotes stays whole", async () => {
    insert(2, null);
    const text = `it's "x" $(id) \\\\ %_ ü`;
    notes.prepend(eid(2), text);
    await eventually(() => expect(read(2)).toContain("$(id)"));
    const before = read(2);
    set(2, "EndDateTime = NOW()");
    // Another event behind it in the queue: when that one is whole again, this one was looked at.
    insert(3, "Motion");
    notes.prepend(eid(3), "detected:car");
    await noted(3, "detected:car Motion");
    set(3, "Notes = 'Motion', EndDateTime = NOW()");
    await noted(3, "detected:car Motion");
    expect(read(2)).toBe(before);
  });

  it("is written although a zone is called alike", async () => {
    insert(4, "Motion: Person, Carport");
    notes.prepend(eid(4), "person");
    await noted(4, "person Motion: Person, Carport");
    notes.prepend(eid(4), "car");
    await noted(4, "car person Motion: Person, Carport");
    set(4, "Notes = 'Motion: Person, Carport', EndDateTime = NOW()");
    await noted(4, "car person Motion: Person, Carport");
  });

  it("stands there once in a table of any character set", async () => {
    server.sql("ALTER TABLE Events MODIFY Notes text CHARACTER SET latin1", "zm");
    insert(5, "Motion: All");
    notes.prepend(eid(5), "détecté:müll");
    await eventually(() => expect(read(5)).toContain("Motion: All"));
    set(5, "EndDateTime = NOW()");
    insert(6, "Motion");
    notes.prepend(eid(6), "detected:car");
    await noted(6, "detected:car Motion");
    set(6, "Notes = 'Motion', EndDateTime = NOW()");
    await noted(6, "detected:car Motion");
    expect(server.sql("SELECT HEX(Notes) FROM Events WHERE Id = 5", "zm").trim()).toBe(
      Buffer.from("détecté:müll Motion: All", "latin1").toString("hex").toUpperCase(),
    );
  });

  it("becomes tags, each once, that other events share", async () => {
    void notes.tag(eid(1), ["person", "car"]);
    void notes.tag(eid(2), ["person"]);
    void notes.tag(eid(2), ["person"]);
    await eventually(() =>
      expect(
        server.sql(
          "SELECT EventId, Name FROM Events_Tags JOIN Tags ON Tags.Id = TagId ORDER BY EventId, Name",
          "zm",
        ),
      ).toBe("1\tcar\n1\tperson\n2\tperson\n"),
    );
  });

  it("for an event that is not there is forgotten without a fuss", () => {
    notes.prepend(eventId(99) ?? eid(99), "x");
    expect(log).toEqual([]);
  });
});
