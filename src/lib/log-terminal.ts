// Writes log lines for people (or as JSON) to the standard output.
import type { Writable } from "node:stream";
import type { LogDestination, LogLevel, LogRecord } from "./log.ts";
import { lineText, stackLines } from "./log-text.ts";

export interface TerminalOptions {
  readonly level: LogLevel;
  /** "auto": lines; in colour on a terminal, without a date under systemd's journal, which has its own. */
  readonly format: "auto" | "lines" | "json";
  readonly stream?: Writable & { readonly isTTY?: boolean };
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

type Style = "colour" | "plain" | "journal" | "json";

/** A reader that stalls (a stopped pager) may cost lines, never memory: 1 MiB is some ten thousand lines. */
const LIMIT_BYTES = 1_048_576;

/** Three letters as ZoneMinder has them, the journal's priority (RFC 5424), the terminal's colour. */
const levels: Readonly<Record<LogLevel, readonly [code: string, priority: number, colour: number]>> = {
  trace: ["DB2", 7, 90],
  debug: ["DB1", 7, 90],
  info: ["INF", 6, 32],
  warn: ["WAR", 4, 33],
  error: ["ERR", 3, 31],
  fatal: ["FAT", 2, 35],
};

/** The destination named "terminal". */
export function createTerminal(options: TerminalOptions): LogDestination {
  const stream = options.stream ?? process.stdout;
  const style = styleFor(options, stream.isTTY === true);
  let lost = 0;
  let broken = false;
  stream.on("error", () => {
    broken = true;
  });
  return {
    name: "terminal",
    level: options.level,
    write(record) {
      if (broken) return;
      if (stream.writableLength > LIMIT_BYTES) {
        lost += 1;
        return;
      }
      if (lost > 0) stream.write(`${lost} lines were lost: nobody was reading\n`);
      lost = 0;
      stream.write(`${textFor(record, style)}\n`);
    },
    async close() {
      if (broken || stream.writableLength === 0) return;
      const written = Promise.withResolvers<void>();
      stream.write("", () => written.resolve());
      const timer = setTimeout(written.resolve, 200);
      await written.promise;
      clearTimeout(timer);
    },
  };
}

function styleFor(options: TerminalOptions, isTerminal: boolean): Style {
  const environment = options.environment ?? process.env;
  if (options.format === "json") return "json";
  if (isTerminal) return environment.NO_COLOR ? "plain" : "colour";
  return options.format === "auto" && environment.JOURNAL_STREAM ? "journal" : "plain";
}

function textFor(record: LogRecord, style: Style): string {
  const { time, level, room, message, fields } = record;
  if (style === "json") {
    return JSON.stringify({ time: new Date(time).toISOString(), level, room, message, ...fields });
  }
  const [code, priority, colour] = levels[level];
  const text = [lineText(record), ...stackLines(record)].join("\n");
  if (style === "journal") return text.replace(/^/gm, `<${priority}>`);
  if (style === "plain") return `${localTime(time)} ${code} ${text}`;
  return `\u001b[90m${localTime(time)}\u001b[0m \u001b[${colour}m${code}\u001b[0m ${text}`;
}

/** 2026-11-22 04:10:11.123 in the time zone of the machine. */
function localTime(time: number): string {
  const at = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const milliseconds = String(at.getMilliseconds()).padStart(3, "0");
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`;
}
