// Turns the text of a value into what its key wants: a number, yes or no, a list.
import type { Kind } from "./fields.ts";
import type { RawValue } from "./raw-file.ts";

/** `default`: nothing is set, the default holds. `wrong`: the text cannot be one of these. */
export type Reading =
  | { readonly outcome: "value"; readonly value: unknown }
  | { readonly outcome: "default" }
  | { readonly outcome: "wrong" };

const FLAG_WORDS: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["yes", true],
  ["true", true],
  ["on", true],
  ["0", false],
  ["no", false],
  ["false", false],
  ["off", false],
  ["", false],
]);

/** Reads a value as the kind says; limits are checked by the schema afterwards. */
export function readValue(kind: Kind, raw: RawValue): Reading {
  if (raw.kind === "nothing") return { outcome: "default" };
  if (raw.kind === "mapping") return { outcome: "wrong" };
  if (raw.kind === "list") return kind === "numbers" || kind === "texts" ? readList(kind, raw.items) : WRONG;
  const text = raw.text.trim();
  switch (kind) {
    case "flag":
      return value(FLAG_WORDS.get(text.toLowerCase()));
    case "number":
      return readNumber(text);
    case "choice":
      return text === "" ? { outcome: "default" } : value(text.toLowerCase());
    case "numbers":
    case "texts":
      return readList(kind, text.split(","));
    case "text":
    case "file":
    case "url":
      return text === "" ? { outcome: "default" } : value(text);
  }
}

/** True for the words that mean false to us. */
export function meansFalse(text: string): boolean {
  return FLAG_WORDS.get(text.trim().toLowerCase()) === false;
}

const WRONG: Reading = { outcome: "wrong" };

function value(read: unknown): Reading {
  return read === undefined ? WRONG : { outcome: "value", value: read };
}

function readNumber(text: string): Reading {
  if (text === "") return { outcome: "default" };
  if (text.toLowerCase() === "auto") return value("auto");
  return /^[+-]?\d{1,15}$/.test(text) ? value(Number(text)) : WRONG;
}

function readList(kind: "numbers" | "texts", items: readonly string[]): Reading {
  const words = items.map((item) => item.trim()).filter((item) => item !== "");
  if (kind === "texts") return value(words.map((word) => word.toLowerCase()));
  return words.every((word) => /^\d{1,15}$/.test(word)) ? value(words.map(Number)) : WRONG;
}
