// Turns a log record into one line of text: the message, then key=value pairs. Nothing in it can forge a line.
import type { LogRecord } from "./log.ts";

/** One line, without time and level. Control characters (a name typed by a stranger may hold some) are escaped. */
export function lineText(record: LogRecord): string {
  const words = [escapeControls(record.message)];
  for (const [name, value] of Object.entries(record.fields)) {
    if (name === "err") words.push(...errorWords(value));
    else if (value !== undefined) words.push(`${name}=${escapeControls(valueText(value))}`);
  }
  return words.join(" ");
}

/** The stack of an error nobody expected, line by line; none for errors that come with a hint. */
export function stackLines(record: LogRecord): readonly string[] {
  if (record.level !== "error" && record.level !== "fatal") return [];
  const { err } = record.fields;
  if (!isObject(err) || "hint" in err || typeof err.stack !== "string") return [];
  return err.stack.split("\n").slice(1).map(escapeControls);
}

/** The text with control characters (C0, DEL, C1, line separators) written as escapes. */
export function escapeControls(text: string): string {
  return text.replace(/\p{Cc}|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code === 10 ? "\\n" : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

function errorWords(err: unknown): readonly string[] {
  if (!isObject(err)) return [`error=${escapeControls(valueText(err))}`];
  const words = [`error=${escapeControls(valueText(err.message))}`];
  if (typeof err.hint === "string") words.push(`hint=${escapeControls(valueText(err.hint))}`);
  return words;
}

function valueText(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
