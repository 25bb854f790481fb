// Strings as Python writes them: both quotes, one or three of them, raw or with escapes, several in a row.
import { fail, match, type Scanner, skipBlanks } from "./literal-scanner.ts";

/** `'a' "b"` is "ab"; null when there is none. */
export function readStrings(scanner: Scanner): string | null {
  let all: string | null = null;
  for (;;) {
    const before = scanner.at;
    if (all !== null) skipBlanks(scanner);
    const next = readString(scanner);
    if (next === null) {
      scanner.at = before;
      return all;
    }
    all = (all ?? "") + next;
  }
}

function readString(scanner: Scanner): string | null {
  const start = scanner.at;
  const opening = match(scanner, /[rRuUbB]{0,2}(?:'''|"""|'|")/y);
  if (opening === null) return null;
  const quote = opening.replace(/^[a-zA-Z]*/, "");
  const isRaw = /r/i.test(opening);
  let content = "";
  for (;;) {
    const sign = scanner.text[scanner.at];
    if (sign === undefined || (sign === "\n" && quote.length === 1))
      return fail(scanner, "the quote that begins here is not closed", start);
    if (scanner.text.startsWith(quote, scanner.at)) {
      scanner.at += quote.length;
      return content;
    }
    content += sign === "\\" ? readEscape(scanner, isRaw) : sign;
    if (sign !== "\\") scanner.at += 1;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** What Python does not know keeps its backslash: that is how patterns such as "\d" come through. */
function readEscape(scanner: Scanner, isRaw: boolean): string {
  const rest = scanner.text.slice(scanner.at, scanner.at + 10);
  const code = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3}))/.exec(rest);
  if (!isRaw && code !== null) {
    const hex = code[1] ?? code[2] ?? code[3];
    const point = hex === undefined ? Number.parseInt(code[4] ?? "0", 8) : Number.parseInt(hex, 16);
    if (point > 0x10ffff) fail(scanner, "there is no such character");
    scanner.at += code[0].length;
    return String.fromCodePoint(point);
  }
  const sign = rest[1] ?? "";
  scanner.at += 1 + sign.length;
  return isRaw ? `\\${sign}` : (ESCAPES[sign] ?? `\\${sign}`);
}
