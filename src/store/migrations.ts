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
];
