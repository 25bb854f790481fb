// Reads the command line of `zmes detect`.
import path from "node:path";
import type { DetectRequest } from "../../detect/socket-messages.ts";

export interface DetectOptions {
  readonly request: DetectRequest;
  readonly isJson: boolean;
  /** For parseOptions. */
  readonly rest: readonly string[];
}

const VALUES = /^--(monitor|draw|cause|objectconfig|config)(?:=(.*))?$/s;

/** The options, or what is wrong with the call. */
export function parseDetectOptions(argv: readonly string[]): DetectOptions | string {
  const given = new Map<string, string>();
  const words: string[] = [];
  const rest: string[] = [];
  let isJson = false;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    const [, name = "", inline] = VALUES.exec(word) ?? [];
    if (word === "--json") isJson = true;
    else if (name === "") (word.startsWith("-") ? rest : words).push(word);
    else {
      const value = inline ?? argv[++index];
      if (value === undefined || value === "") return `--${name} needs a value.`;
      if (name === "config") rest.push("--config", value);
      else given.set(name, value);
    }
  }
  const [subject = ""] = words;
  if (words.length !== 1 || subject === "") return "it takes one file, or the number of one event.";
  const monitor = given.get("monitor");
  if (monitor !== undefined && numberOf(monitor) === null)
    return `--monitor takes the number of a monitor, not "${monitor}".`;
  const event = numberOf(subject);
  const request: DetectRequest = {
    event,
    file: event === null ? path.resolve(subject) : null,
    monitor: numberOf(monitor ?? ""),
    cause: given.get("cause") ?? "",
    path: null,
    options: {
      config: absolute(given.get("objectconfig")),
      overrides: [],
      // Who tries something out does not change what ZoneMinder shows.
      writesFiles: false,
      drawTo: absolute(given.get("draw")),
    },
  };
  return { request, isJson, rest };
}

/** A file whose name is a number is written ./4711. */
function numberOf(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

function absolute(file: string | undefined): string | null {
  return file === undefined ? null : path.resolve(file);
}
