// The steps that lead from an empty file to the present form of the store. Written once, never changed.

/** `user_version` of a file is the number of steps it has seen. A new form is a new entry at the end. */
export const migrations: readonly string[] = [
  `CREATE TABLE marks (
     monitor INTEGER PRIMARY KEY,
     event INTEGER,
     edge INTEGER NOT NULL,
     at INTEGER NOT NULL,
     open INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
  // The outbox is the pending part of the history: one row is written once and changed once.
  `CREATE TABLE alarms (
     id INTEGER PRIMARY KEY,
     key TEXT NOT NULL,
     phase TEXT NOT NULL,
     event INTEGER,
     seen_at INTEGER NOT NULL,
     alarm TEXT NOT NULL,
     withheld TEXT,
     sockets TEXT
   ) STRICT;
   CREATE INDEX alarms_by_key ON alarms (key);
   CREATE INDEX alarms_by_event ON alarms (event);
   CREATE INDEX alarms_by_age ON alarms (seen_at);
   CREATE TABLE deliveries (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     alarm INTEGER NOT NULL REFERENCES alarms (id),
     channel TEXT NOT NULL,
     recipient TEXT NOT NULL,
     label TEXT NOT NULL,
     trace TEXT NOT NULL,
     state TEXT NOT NULL,
     reason TEXT,
     words TEXT NOT NULL,
     attempts INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     due_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     ended_at INTEGER
   ) STRICT;
   CREATE INDEX deliveries_by_alarm ON deliveries (alarm);
   CREATE INDEX deliveries_pending ON deliveries (channel, recipient, id) WHERE state = 'pending';
   CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';`,
  // What was found out about the alarm itself: a JSON list of sentences.
  "ALTER TABLE alarms ADD COLUMN found TEXT;",
];
