// What a command of `zmes` is, with the help text that follows from its description.
import type { Clock } from "../lib/clock.ts";
import { typedName } from "./typed-name.ts";

export interface Command {
  readonly name: string;
  /** One line for the list of commands; no full stop. */
  readonly summary: string;
  /** What is typed after `zmes`, such as "listen URL --user NAME [options]". */
  readonly usage: string;
  readonly options: readonly OptionHelp[];
  /** Paragraphs below the options; may be empty. */
  readonly notes: readonly string[];
  /** Does the work and gives the exit code. `argv` is what follows the command's name. */
  run(argv: readonly string[], io: CommandIo): Promise<number>;
}

export interface OptionHelp {
  /** As it is typed: "--user NAME". */
  readonly flag: string;
  readonly text: string;
}

/** Everything a command sees of the outside, so that tests can run it inside their own process. */
export interface CommandIo {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly stdin: TerminalInput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborted by INT and TERM, which the process survives from this call on. */
  stopSignal(): AbortSignal;
  /** The same, and when the terminal or the reader of stdout is gone: for commands that only serve those. */
  stopOrHangup(): AbortSignal;
}

interface TextOutput {
  write(text: string): unknown;
}

/** The part of a terminal that asking for a password needs. */
export interface TerminalInput {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  on(event: "data", listener: (chunk: Buffer | string) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  removeAllListeners(event: "data" | "end"): unknown;
  resume(): unknown;
  pause(): unknown;
}

/**
 * Exit codes: the command did its job; it failed at it; it was called wrongly or its configuration is bad; another
 * zmes does the job already, so that a service manager must not try again (packaging/zmes.service names the last two).
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, busy: 3 } as const;

/** `zmes --help`: the list of commands. */
export function helpForAll(commands: readonly Command[]): string {
  const lines = [
    "zmes tells your clients of ZoneMinder's alarms within milliseconds.",
    "",
    "Usage: zmes [COMMAND] [OPTIONS]",
    "",
    "Commands:",
    ...table(commands.map((command) => [command.name, command.summary])),
    "",
    "`zmes COMMAND --help` explains one of them. Without a command, `zmes` is `zmes run`.",
  ];
  return `${lines.join("\n")}\n`;
}

/** `zmes COMMAND --help`. */
export function helpFor(command: Command): string {
  const options = [...command.options, { flag: "--help", text: "show this text" }];
  const lines = [
    `${capitalised(command.summary)}.`,
    "",
    `Usage: zmes ${command.usage}`,
    "",
    "Options:",
    ...table(options.map((option) => [option.flag, option.text])),
    ...command.notes.flatMap((note) => ["", ...wrapped(note, HELP_COLUMNS)]),
  ];
  return `${lines.join("\n")}\n`;
}

/** A wrong call: says what is wrong and where the help is. */
export function refuseUsage(io: CommandIo, command: string, message: string): number {
  io.stderr.write(`zmes ${command}: ${plainly(message)}\nTry: ${typedName(io.env)} ${command} --help\n`);
  return EXIT.usage;
}

/** node's parseArgs explains wrong calls to programmers; other messages stay as they are. */
function plainly(message: string): string {
  return message
    .replace(/^Unknown option '([^']*)'.*$/s, "there is no option $1.")
    .replace(/^Unexpected argument '(.*)'\. This command does not take.*$/s, 'it takes no "$1".')
    .replace(
      /^Option '(?:-\w, )?(--[\w-]+) <value>' argument (?:missing|is ambiguous).*$/s,
      "$1 needs a value.",
    )
    .replace(/^Option '(?:-\w, )?(--[\w-]+)' does not take an argument.*$/s, "$1 takes no value.");
}

/** Reads well in a terminal of any usual width. */
const HELP_COLUMNS = 100;
/** A left side wider than this gets a line of its own. */
const LEFT_COLUMNS = 28;

function table(rows: readonly (readonly [string, string])[]): string[] {
  const fitting = rows.map(([left]) => left.length).filter((length) => length <= LEFT_COLUMNS);
  const width = Math.max(0, ...fitting);
  return rows.flatMap(([left, right]) => {
    const [first = "", ...more] = wrapped(right, HELP_COLUMNS - width - 4);
    const indented = more.map((line) => `${" ".repeat(width + 4)}${line}`);
    if (left.length > width) return [`  ${left}`, `${" ".repeat(width + 4)}${first}`, ...indented];
    return [`  ${left.padEnd(width)}  ${first}`, ...indented];
  });
}

/** Breaks between words; a word longer than a line stays whole. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
