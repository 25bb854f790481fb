// The store's thread over a disk that takes 300 ms for each fsync.
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";

const FSYNC_MS = 300;

const { exec } = DatabaseSync.prototype;
const never = new Int32Array(new SharedArrayBuffer(4));
DatabaseSync.prototype.exec = function slowExec(sql: string): void {
  // With `synchronous = FULL` each commit is one fsync of the write-ahead log (sqlite.org/wal.html).
  if (sql.includes("COMMIT")) Atomics.wait(never, 0, 0, FSYNC_MS);
  exec.call(this, sql);
};

await import("../../src/store/store-thread.ts");
