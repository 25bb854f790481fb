// Appends to ZoneMinder's log file of this program, through rotations and full disks.
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../lib/clock.ts";
import { createLineWriter } from "../lib/line-writer.ts";
import type { LogDestination, LogLevel, LogRecord } from "../lib/log.ts";
import { COMPONENT, logLine } from "./log-line.ts";

export interface LogFileOptions {
  /** ZM_PATH_LOGS */
  readonly directory: string;
  readonly level: LogLevel | null;
  readonly clock: Clock;
  /** Told once when the file cannot be written, and once when it can again. */
  readonly onState?: (writable: boolean, problem: string) => void;
  readonly pid?: number;
}

/** As ZoneMinder's own log files after a rotation: the web user writes, its group may read. */
const MODE = 0o640;
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
/** A stat a second is nothing; a rotation without a signal is noticed that soon. */
const INODE_CHECK_MS = 1000;
/** The whole program stops within 2 s; a disk that hangs may take this much of it. */
const CLOSE_DEADLINE_MS = 300;

/** The destination named "file": `zmeventnotification.log` in the folder of ZoneMinder's logs. */
export function createLogFile(options: LogFileOptions): LogDestination {
  const file = createReopeningFile(path.join(options.directory, `${COMPONENT}.log`), options.clock);
  const pid = options.pid ?? process.pid;
  const lossRecord = (lost: number): LogRecord => ({
    time: options.clock.now(),
    level: "warn",
    room: "log",
    message: `${lost} lines were lost: the log file could not be written`,
    fields: {},
  });
  const writer = createLineWriter({
    put: file.put,
    lossLine: (lost) => `${logLine(lossRecord(lost), pid)}\n`,
    ...(options.onState && { onState: options.onState }),
  });
  return {
    name: "file",
    level: options.level,
    write: (record) => writer.write(`${logLine(record, pid)}\n`),
    reopen: file.reopen,
    async close() {
      await writer.close(CLOSE_DEADLINE_MS);
      await file.close();
    },
  };
}

function createReopeningFile(name: string, clock: Clock) {
  let handle: FileHandle | null = null;
  let stale = false;
  let checkedAt = 0;

  const shut = async (): Promise<void> => {
    const old = handle;
    handle = null;
    await old?.close().catch(() => undefined);
  };

  const current = async (): Promise<FileHandle> => {
    if (handle !== null && (stale || (await hasMoved(handle)))) await shut();
    stale = false;
    handle ??= await open(name, FLAGS, MODE);
    return handle;
  };

  const hasMoved = async (held: FileHandle): Promise<boolean> => {
    const now = clock.monotonic();
    if (now - checkedAt < INODE_CHECK_MS) return false;
    checkedAt = now;
    const [ours, there] = await Promise.all([held.stat(), stat(name).catch(() => null)]);
    return there === null || there.ino !== ours.ino || there.dev !== ours.dev;
  };

  return {
    put: async (bytes: Buffer): Promise<number> => (await (await current()).write(bytes)).bytesWritten,
    reopen: (): void => {
      stale = true;
    },
    close: shut,
  };
}
